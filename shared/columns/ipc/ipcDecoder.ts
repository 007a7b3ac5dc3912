// Arrow IPC messages to batches, wherever the messages come from.

import * as arrow from 'apache-arrow';
import { recordBatch } from '../arrowData.ts';
import { BodyBuffers, type UnpackBuffer } from './bodyBuffers.ts';
import { ColumnLoader } from './columnLoader.ts';
import { DictionaryEntries } from './dictionaryEntries.ts';
import type { IpcBatch, IpcMessage } from './ipcMessage.ts';
import { plainSchema } from './plainType.ts';

export interface IpcSettings {
  readonly unpack: UnpackBuffer;
  /** Called with what is taken in all beyond a body of `bodyBytes`, before it is. */
  hold(bytes: number, what: string, bodyBytes: number): void;
  checkText(offsets: Int32Array, data: Uint8Array): void;
}

export class IpcDecoder {
  readonly #settings: IpcSettings;
  readonly #dictionaries = new Map<number, DictionaryEntries>();
  readonly #dictionaryTypes = new Map<number, arrow.DataType>();
  /** Taken beyond what bodies held, for entries that stay. */
  #dictionaryBytes = 0;
  #stored: arrow.Schema | undefined;
  #plain: arrow.Schema | undefined;

  constructor(settings: IpcSettings) {
    this.#settings = settings;
  }

  /** The schema of the batches; undefined before it came. */
  get schema(): arrow.Schema | undefined {
    return this.#plain;
  }

  begin(schema: arrow.Schema): void {
    this.#stored = schema;
    this.#plain = plainSchema(schema);
    this.#dictionaries.clear();
    this.#dictionaryTypes.clear();
    for (const field of schema.fields) this.#enterDictionaries(field.type as arrow.DataType);
  }

  /** @returns a batch, when the message is one. @throws Error naming the column where its bytes contradict the message. */
  take(message: IpcMessage, body: Uint8Array): arrow.RecordBatch | undefined {
    switch (message.kind) {
      case 'schema':
        this.begin(message.schema);
        return undefined;
      case 'dictionary':
        this.#takeDictionary(message.id, message.isDelta, message.batch, body);
        return undefined;
      case 'batch':
        return this.#batch(message.batch, body);
      case 'other':
      default:
        return undefined;
    }
  }

  #batch(batch: IpcBatch, body: Uint8Array): arrow.RecordBatch {
    if (this.#stored === undefined || this.#plain === undefined) throw new Error('a batch before the schema');
    const loader = this.#loader(batch, body, false);
    const columns = this.#stored.fields.map(({ name, type }) => {
      const data = inColumn(name, () => loader.next(type as arrow.DataType));
      if (data.length !== batch.rows) {
        throw new Error(`column "${name}" has ${data.length} values in a batch of ${batch.rows} rows`);
      }
      return data;
    });
    return recordBatch(this.#plain, columns, batch.rows);
  }

  #loader(batch: IpcBatch, body: Uint8Array, isKept: boolean): ColumnLoader {
    const settings = this.#settings;
    let held = this.#dictionaryBytes;
    const hold = (bytes: number, what: string): void => {
      held += bytes;
      this.#settings.hold(held, what, body.length);
      if (isKept) this.#dictionaryBytes = held;
    };
    const buffers = new BodyBuffers(batch, body, (...packed) => settings.unpack(...packed), hold);
    return new ColumnLoader(batch, buffers, {
      dictionaries: this.#dictionaries,
      hold,
      checkText: (offsets, data) => settings.checkText(offsets, data),
    });
  }

  #takeDictionary(id: number, isDelta: boolean, batch: IpcBatch, body: Uint8Array): void {
    const type = this.#dictionaryTypes.get(id);
    if (type === undefined) throw new Error(`a dictionary ${id} that no column has`);
    const data = inColumn(`dictionary ${id}`, () => this.#loader(batch, body, true).next(type));
    const before = this.#dictionaries.get(id);
    if (isDelta && before !== undefined) before.append(data);
    else this.#dictionaries.set(id, new DictionaryEntries(data));
  }

  #enterDictionaries(type: arrow.DataType): void {
    if (arrow.DataType.isDictionary(type)) {
      const value = type.dictionary as arrow.DataType;
      this.#dictionaryTypes.set(type.id, value);
      this.#enterDictionaries(value);
      return;
    }
    for (const field of type.children ?? []) this.#enterDictionaries(field.type);
  }
}

function inColumn(name: string, load: () => arrow.Data): arrow.Data {
  try {
    return load();
  } catch (error) {
    if (error instanceof Error && !('code' in error)) error.message = `column "${name}": ${error.message}`;
    throw error;
  }
}
