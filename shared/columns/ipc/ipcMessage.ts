// The messages of Arrow's IPC format, read without believing them: what they claim is compared with the bytes that are there.
// https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc

import type * as arrow from 'apache-arrow';
import { DictionaryBatch } from 'apache-arrow/fb/dictionary-batch';
import { Endianness } from 'apache-arrow/fb/endianness';
import type { Field } from 'apache-arrow/fb/field';
import { Footer } from 'apache-arrow/fb/footer';
import { Message } from 'apache-arrow/fb/message';
import { MessageHeader } from 'apache-arrow/fb/message-header';
import { MetadataVersion } from 'apache-arrow/fb/metadata-version';
import { RecordBatch } from 'apache-arrow/fb/record-batch';
import { Schema } from 'apache-arrow/fb/schema';
import { Type } from 'apache-arrow/fb/type';
import { Schema as ArrowSchema } from 'apache-arrow';
import { ByteBuffer } from 'flatbuffers';
import { UnsupportedDataError } from '../columnErrors.ts';

export interface IpcBatch {
  readonly rows: number;
  readonly nodes: readonly { readonly length: number; readonly nullCount: number }[];
  readonly buffers: readonly { readonly offset: number; readonly length: number }[];
  readonly variadicCounts: readonly number[];
  readonly compression: 'lz4' | 'zstd' | undefined;
}

export type IpcMessage = { readonly bodyBytes: number } & (
  | { readonly kind: 'schema'; readonly schema: arrow.Schema }
  | { readonly kind: 'batch'; readonly batch: IpcBatch }
  | { readonly kind: 'dictionary'; readonly id: number; readonly isDelta: boolean; readonly batch: IpcBatch }
  | { readonly kind: 'other' }
);

const MAX_DEPTH = 64;
const MAX_ROWS = 0x7fff_ffff;

/** @throws Error for a message that claims more than it has, UnsupportedDataError. */
export function readIpcMessage(metadata: Uint8Array): IpcMessage {
  const message = Message.getRootAsMessage(new ByteBuffer(metadata));
  const bodyBytes = sizeOf(message.bodyLength(), Number.MAX_SAFE_INTEGER, 'body');
  requireVersion(message.version());
  switch (message.headerType()) {
    case MessageHeader.Schema: {
      const schema = message.header(new Schema()) as Schema | null;
      return { kind: 'schema', bodyBytes, schema: readSchema(schema, metadata.length) };
    }
    case MessageHeader.RecordBatch: {
      const batch = message.header(new RecordBatch()) as RecordBatch | null;
      return { kind: 'batch', bodyBytes, batch: readBatch(batch, metadata.length) };
    }
    case MessageHeader.DictionaryBatch: {
      const dictionary = message.header(new DictionaryBatch()) as DictionaryBatch | null;
      if (dictionary === null) throw new Error('a dictionary without its header');
      const batch = readBatch(dictionary.data(), metadata.length);
      const id = Number(dictionary.id());
      return { kind: 'dictionary', bodyBytes, id, isDelta: dictionary.isDelta(), batch };
    }
    case MessageHeader.NONE:
    case MessageHeader.Tensor:
    case MessageHeader.SparseTensor:
    default:
      return { kind: 'other', bodyBytes };
  }
}

/** The schema of a file from its footer: some writers have it there alone. */
export function readFooterSchema(footer: Uint8Array): arrow.Schema {
  const root = Footer.getRootAsFooter(new ByteBuffer(footer));
  requireVersion(root.version());
  return readSchema(root.schema(), footer.length);
}

function requireVersion(version: MetadataVersion): void {
  if (version === MetadataVersion.V4 || version === MetadataVersion.V5) return;
  throw new UnsupportedDataError(
    `Arrow's format of the version ${version + 1} is not supported; 4 and 5 are.`,
  );
}

function readSchema(schema: Schema | null, metadataBytes: number): arrow.Schema {
  if (schema === null) throw new Error('a schema without its header');
  if (schema.endianness() !== Endianness.Little) {
    throw new UnsupportedDataError('Arrow data of big-endian machines is not supported.');
  }
  new SchemaCheck(metadataBytes).schema(schema);
  // The library's own way, which its types leave out.
  const library = ArrowSchema as unknown as {
    decode(schema: Schema, dictionaries: Map<number, unknown>): arrow.Schema;
  };
  return library.decode(schema, new Map());
}

const unknownTypes = new Map<Type, string>([
  [Type.RunEndEncoded, 'RunEndEncoded'],
  [Type.ListView, 'ListView'],
  [Type.LargeListView, 'LargeListView'],
  [Type.Union, 'Union'],
]);

/** Fields may refer to one another in circles, or all to one: then a few bytes are a tree without end. */
class SchemaCheck {
  readonly #metadataBytes: number;
  #fields = 0;

  constructor(metadataBytes: number) {
    this.#metadataBytes = metadataBytes;
  }

  schema(schema: Schema): void {
    this.#vector(schema.customMetadataLength(), 4);
    this.#vector(schema.fieldsLength(), 4);
    for (let i = 0; i < schema.fieldsLength(); i++) this.#field(schema.fields(i), '', 0);
  }

  #field(field: Field | null, above: string, depth: number): void {
    if (field === null) throw new Error('a field without its description');
    // A field has at least eight bytes of its own.
    this.#fields++;
    if (depth > MAX_DEPTH || this.#fields * 8 > this.#metadataBytes)
      throw new Error('the schema is nested in itself');
    const name = above + (field.name() ?? '');
    const unknown = unknownTypes.get(field.typeType());
    if (unknown !== undefined) {
      throw new UnsupportedDataError(
        `Column "${name}" has the Arrow type ${unknown}, which is not supported.`,
        {
          column: name,
        },
      );
    }
    this.#vector(field.customMetadataLength(), 4);
    this.#vector(field.childrenLength(), 4);
    for (let i = 0; i < field.childrenLength(); i++) this.#field(field.children(i), `${name}.`, depth + 1);
  }

  #vector(length: number, size: number): void {
    requireVector(length, size, this.#metadataBytes);
  }
}

function requireVector(length: number, size: number, metadataBytes: number): void {
  if (!(length >= 0 && length * size <= metadataBytes)) {
    throw new Error(`a list of ${length} entries in metadata of ${metadataBytes} bytes`);
  }
}

function readBatch(batch: RecordBatch | null, metadataBytes: number): IpcBatch {
  if (batch === null) throw new Error('a batch without its header');
  const nodeCount = batch.nodesLength();
  const bufferCount = batch.buffersLength();
  const variadicCount = batch.variadicBufferCountsLength();
  requireVector(nodeCount, 16, metadataBytes);
  requireVector(bufferCount, 16, metadataBytes);
  requireVector(variadicCount, 8, metadataBytes);
  return {
    rows: sizeOf(batch.length(), MAX_ROWS, 'number of rows'),
    nodes: Array.from({ length: nodeCount }, (_, i) => {
      const node = batch.nodes(i)!;
      return {
        length: sizeOf(node.length(), MAX_ROWS, 'length of a column'),
        nullCount: sizeOf(node.nullCount(), MAX_ROWS, 'number of missing values'),
      };
    }),
    buffers: Array.from({ length: bufferCount }, (_, i) => {
      const buffer = batch.buffers(i)!;
      return {
        offset: sizeOf(buffer.offset(), Number.MAX_SAFE_INTEGER, 'offset'),
        length: sizeOf(buffer.length(), Number.MAX_SAFE_INTEGER, 'length of a buffer'),
      };
    }),
    variadicCounts: Array.from({ length: variadicCount }, (_, i) =>
      sizeOf(batch.variadicBufferCounts(i) ?? 0n, bufferCount, 'number of buffers'),
    ),
    compression: compressionOf(batch),
  };
}

function compressionOf(batch: RecordBatch): IpcBatch['compression'] {
  const compression = batch.compression();
  if (compression === null) return undefined;
  const codec: number = compression.codec();
  if (codec !== 0 && codec !== 1)
    throw new UnsupportedDataError(`Arrow's compression ${codec} is not supported.`);
  return codec === 0 ? 'lz4' : 'zstd';
}

function sizeOf(value: bigint, most: number, what: string): number {
  if (value < 0n || value > BigInt(most)) throw new Error(`the ${what} is said to be ${value}`);
  return Number(value);
}
