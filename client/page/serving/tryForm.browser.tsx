// A form to try a prediction: a field for each feature of the model, the answer, and the same request for a shell.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { visibleText } from '../../../kernels/visibleText.ts';
import type {
  ExampleAnswer,
  ModelField,
  ServingReport,
  TryAnswer,
} from '../../../shared/api/servingAnswers.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { Card } from '../design/parts.browser.tsx';
import { servingEn as words } from '../words/servingEn.ts';
import { numberWords } from '../words/statusWords.ts';
import type { Api } from '../owner/api.browser.ts';
import { Command } from '../owner/command.browser.tsx';
import { curlCommand } from './curlCommand.ts';
import { formTexts, MAX_FORM_FIELDS, readRow, type FormTexts } from './rowForm.ts';

export interface TryFormProps {
  readonly api: Api;
  readonly name: string;
  readonly report: ServingReport;
  readonly example: ExampleAnswer['example'];
}

/** The row is kept as long as the form is shown. */
export function TryForm({ api, name, report, example }: TryFormProps): JSX.Element {
  const { model, hasKey, url, routePrefix } = report;
  const fields = model?.fields ?? [];
  const canForm =
    model !== undefined && model.fieldCount === fields.length && fields.length <= MAX_FORM_FIELDS;
  const [isJson, setJson] = useState(!canForm);
  const [texts, setTexts] = useState<FormTexts>(() => formTexts(fields, example));
  const [json, setJsonText] = useState(() => (model ? rowJson(fields, texts) : '{}'));
  const [key, setKey] = useState('');
  const [answer, setAnswer] = useState<TryAnswer>();
  const [problem, setProblem] = useState<string>();
  const [isWaiting, setWaiting] = useState(false);
  const body = isJson ? json : rowJson(fields, texts);

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setAnswer(undefined);
    const read = isJson ? undefined : readRow(fields, texts);
    if (read && 'problem' in read) return setProblem(read.problem);
    setProblem(undefined);
    setWaiting(true);
    api
      .ask<TryAnswer>(`/api/v1/applications/${encodeURIComponent(name)}/try`, {
        body,
        ...(key.trim() !== '' && { key: key.trim() }),
      })
      .then(setAnswer, (error: unknown) => setProblem(messageOf(error)))
      .finally(() => setWaiting(false));
  };

  return (
    <Card title={words.try} id="try-title">
      <p class="note">
        {words.tryNote} {example && words.exampleNote}
      </p>
      <form id="try" class="try" onSubmit={submit}>
        {isJson ? (
          <label class="wide">
            <span>{words.body}</span>
            <textarea
              id="try-json"
              rows={6}
              spellcheck={false}
              value={json}
              onInput={({ currentTarget }) => setJsonText(currentTarget.value)}
            />
          </label>
        ) : (
          <div class="fields">
            {fields.map((field, at) => (
              <Field
                key={field.name}
                field={field}
                id={`try-${at}`}
                text={texts[field.name] ?? ''}
                onText={(text) => setTexts({ ...texts, [field.name]: text })}
              />
            ))}
          </div>
        )}
        {hasKey && (
          <label class="wide">
            <span>{words.key}</span>
            <input
              id="try-key"
              type="password"
              autocomplete="off"
              value={key}
              onInput={({ currentTarget }) => setKey(currentTarget.value)}
            />
          </label>
        )}
        <div class="controls">
          <button id="try-send" class="primary" type="submit" disabled={isWaiting}>
            {isWaiting ? words.sending : words.send}
          </button>
          {canForm && (
            <button
              type="button"
              onClick={() => {
                if (!isJson) setJsonText(body);
                setJson(!isJson);
              }}
            >
              {isJson ? words.fields : words.json}
            </button>
          )}
        </div>
      </form>
      <div role="status">
        {problem !== undefined && <p class="problem">{problem}</p>}
        {answer && <Answered answer={answer} />}
      </div>
      <h3>{words.curl}</h3>
      {hasKey && <p class="note">{words.curlKey}</p>}
      <Command text={curlCommand(new URL(routePrefix, url).href, body, hasKey)} label={words.curl} />
    </Card>
  );
}

function rowJson(fields: readonly ModelField[], texts: FormTexts): string {
  const read = readRow(fields, texts);
  // What is no number yet is shown as missing.
  const row = 'row' in read ? read.row : Object.fromEntries(fields.map(({ name }) => [name, null]));
  return JSON.stringify([row]);
}

interface FieldProps {
  readonly field: ModelField;
  readonly id: string;
  readonly text: string;
  readonly onText: (text: string) => void;
}

function Field({ field: { name, kind, choices, shape }, id, text, onText }: FieldProps): JSX.Element {
  const label = (
    <span>
      {visibleText(name)}{' '}
      <small>
        {kind}
        {shape && ` [${shape.join(', ')}]`}
      </small>
    </span>
  );
  if (kind === 'tensor') {
    return (
      <label class="wide" for={id}>
        {label}
        <textarea
          id={id}
          rows={3}
          spellcheck={false}
          value={text}
          onInput={({ currentTarget }) => onText(currentTarget.value)}
        />
      </label>
    );
  }
  return (
    <label for={id}>
      {label}
      <input
        id={id}
        type="text"
        inputMode={kind === 'category' ? 'text' : 'decimal'}
        autocomplete="off"
        placeholder={words.missing}
        list={choices && `${id}-choices`}
        value={text}
        onInput={({ currentTarget }) => onText(currentTarget.value)}
      />
      {choices && (
        <datalist id={`${id}-choices`}>
          {choices.map((choice) => (
            <option key={choice} value={choice} />
          ))}
        </datalist>
      )}
    </label>
  );
}

function Answered({ answer: { status, durationMs, body } }: { readonly answer: TryAnswer }): JSX.Element {
  return (
    <div id="try-answer" class={status >= 400 ? 'problem' : undefined}>
      <p class="note">{words.answerIn(String(status), `${numberWords(durationMs)} ms`)}</p>
      <pre tabIndex={0} role="group" aria-label={words.answer}>
        {visibleText(body)}
      </pre>
    </div>
  );
}
