// The embedded database: SQLite (the build of libsql, whose binary comes with the package) in one file.

import Database from 'libsql';
import { CompiledQuery, SqliteDialect } from 'kysely';
import type { SqliteDatabase } from 'kysely';
import { StorageInUseError } from './storeErrors.ts';

export interface EmbeddedOptions {
  readonly file: string;
  /** Whether a commit waits for the disk. A record that goes away with its process need not. */
  readonly durable: boolean;
}

/** The lock on the file is the process's: the system lifts it when the process is killed. */
export function embeddedDialect({ file, durable }: EmbeddedOptions): SqliteDialect {
  return new SqliteDialect({
    database: () => Promise.resolve(openDatabase(file)),
    onCreateConnection: async (connection) => {
      const pragmas = [
        'locking_mode = EXCLUSIVE',
        'journal_mode = WAL',
        `synchronous = ${durable ? 'FULL' : 'OFF'}`,
        'foreign_keys = ON',
      ];
      try {
        for (const pragma of pragmas) await connection.executeQuery(CompiledQuery.raw(`pragma ${pragma}`));
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'SQLITE_BUSY') throw error;
        throw new StorageInUseError(
          `${file} is in use by another coordinator. Stop that one, or choose another storage folder.`,
          { file },
          { cause: error },
        );
      }
    },
  });
}

/** libsql takes single arguments where Kysely gives a list. */
function openDatabase(file: string): SqliteDatabase {
  const database = new Database(file);
  return {
    close() {
      // The handle lives on until its statements are garbage: the lock is given back by hand. SQLite does that at the
      // next access, and not in WAL mode (https://www.sqlite.org/pragma.html#pragma_locking_mode).
      for (const sql of [
        'pragma journal_mode = DELETE',
        'pragma locking_mode = NORMAL',
        'select 1 from runs',
      ]) {
        database.prepare(sql).all();
      }
      database.close();
    },
    prepare(sql) {
      const statement = database.prepare(sql);
      // SQLite has rolled back by itself after some errors, a full disk among them: those are what is to be reported
      // (https://www.sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction).
      const isNeedless = (): boolean => sql === 'rollback' && !database.inTransaction;
      return {
        reader: statement.reader,
        all: (parameters) => statement.all(...parameters),
        run: (parameters) =>
          isNeedless() ? { changes: 0, lastInsertRowid: 0 } : statement.run(...parameters),
        iterate: (parameters) => statement.iterate(...parameters),
      };
    },
  };
}
