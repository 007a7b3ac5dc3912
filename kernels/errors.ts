// Every failure a user can meet has a code here, so that scripts can act on it and docs can list it.
// Rooms subclass TabgradError, one class a failure, next to the code that throws it.

import { visibleText } from './visibleText.ts';

/** The closed list of error codes with what each one means. Add a code here, then a class where it is thrown. */
export const errorCodes = {
  INTERNAL: 'A defect of tabgrad itself.',
  DEADLINE_EXCEEDED: 'A wait reached its deadline; the message names who did not answer.',
  ABORTED: 'The caller withdrew the work.',
  UNKNOWN_COMMAND: 'tabgrad has no command of that name.',
  UNKNOWN_OPTION: 'The command has no option of that name.',
  BAD_ARGUMENT: 'An option or word of the command line is missing or has a value that is not accepted.',
  CONFIG_UNREADABLE: 'The config file does not exist, can not be read or is of an unknown format.',
  CONFIG_SYNTAX: 'The config file does not parse, or its module throws.',
  CONFIG_INVALID: 'A key of the config is unknown, missing or has a value that is not accepted.',
  EXPRESSION_INVALID: 'An expression of a derived column does not parse or does not fit the columns.',
  COORDINATOR_UNREACHABLE: 'No coordinator answers at that address.',
  REDIRECT_REFUSED:
    'A server redirects a request to where it must not go: to another host with a token or signature, or to http.',
  OUTPUT_FAILED: 'Standard output can not be written, e.g. to a file on a full disk.',
  BROWSER_MISSING: 'No browser to open local worker tabs with.',
  BROWSER_SANDBOX_MISSING:
    'The browser of local worker tabs has no sandbox here; the message says what is missing.',
  BLOB_UNAVAILABLE: 'A blob could not be fetched from the coordinator, or arrived with other bytes.',
  BLOB_NOT_STORED: 'A worker could not store a blob at the coordinator.',
  JOIN_REFUSED: 'The coordinator turned a worker away (wrong token, other version).',
  WORKER_START_FAILED: 'A local worker ended before it had joined.',
  INVALID_WORKER_OPTION: 'A worker was started with an unknown or malformed setting.',
  WORKER_SETTING_INVALID: 'A setting of local workers is not accepted, or has no effect with the others.',
  DEVICE_LOST: 'The GPU device was lost; the worker leaves or comes back with a new one.',
  INVALID_BLOCK: 'A block of binned rows does not fit what the device was told to expect.',
  INVALID_TREE: 'A tree or split from a peer or a file can not be walked.',
  DEVICE_STATE: 'A tree device was asked for something it can not do in its present state.',
  ADAPTER_MISSING: 'WebGPU was asked for where there is no adapter.',
  DEVICE_FAILED: 'WebGPU refused a command or ran out of memory.',
  ENGINE_UNSUITABLE: 'A training engine can not compute this model, or not with this setting.',
  TRAIN_LOOP_FAILED: "The owner's trainLoopPerWorker threw, or a worker does not run code of owners.",
  COORDINATOR_ARGUMENT: 'An option of startCoordinator is unknown, of the wrong kind or out of range.',
  ICE_SETTING_INVALID: 'A STUN or TURN server or its secret is not as expected.',
  TREES_TOO_LARGE:
    'The trees of one round are more than a control message takes; fewer or smaller leaves are needed.',
  BAD_ASSIGNMENT: 'What the coordinator assigned contradicts itself or the data.',
  DATA_ARGUMENT: 'An argument of a data operation is out of range or of the wrong kind.',
  DATA_FILE_MISSING: 'A data file, folder or object does not exist.',
  DATA_FOLDER_EMPTY: 'A data folder or prefix holds no file of the expected format.',
  DATA_FILE_CORRUPT: 'A data file is truncated, damaged or not of the expected format.',
  DATA_TOO_LARGE:
    'Reading a data file would take more memory than it may: the message has column and limit, and what to do.',
  DATA_FILE_CHANGED: 'A data file changed after it was first opened.',
  DATA_FILE_UNREADABLE: 'A data file can not be read: permission, or an I/O failure.',
  DATA_UNSUPPORTED: 'A data file uses a feature that is not supported.',
  DATA_ROW_MALFORMED: 'A row of a text file does not parse.',
  DATA_COLUMN_UNKNOWN: 'No column of that name.',
  DATA_TYPE_MISMATCH: 'Columns of files, batches or datasets that must agree differ in type.',
  DATA_UNREACHABLE: 'A data host could not be reached.',
  DATA_HTTP_STATUS: 'A data host answered with an error status.',
  DATA_ACCESS_DENIED: 'A data host refused access: credentials missing or wrong.',
  DATA_USER_FUNCTION: 'A function given to a data operation threw or returned something unusable.',
  DATA_DISK_FULL: 'The disk has no room for what is being written; nothing half-written is left.',
  DATA_WRITE_FAILED: 'Data could not be written; nothing half-written is left.',
  PORT_IN_USE: 'Another program listens on the port that the coordinator was given.',
  LISTEN_FAILED: 'The coordinator can not listen on the address it was given.',
  PROXY_SETTING_INVALID: 'An address or network of a trusted proxy is none.',
  TLS_FILE: 'A file of a certificate or key can not be read or written.',
  TLS_CERTIFICATE: 'A certificate is damaged, out of date or of another key.',
  SERVER_UNTRUSTED: "Nothing that was trusted vouches for the server's certificate.",
  STORAGE_FULL: 'The coordinator storage has no room; nothing half-written is left.',
  CHECK_FAILED:
    'The work of strangers could not be checked: the rows can not be read, or the thread that does it is gone.',
  STORAGE_FAILED: 'The coordinator storage can not be read or written.',
  STORAGE_IN_USE: 'Another coordinator uses the same storage folder or database.',
  STORAGE_VERSION: 'The coordinator storage was written by a later version of tabgrad.',
  BLOB_MISSING: 'No blob of that SHA-256 is stored.',
  BLOB_MISMATCH: 'The bytes do not have the SHA-256 or the length that was announced.',
  BODY_TOO_LARGE: 'A request or message is larger than accepted.',
  BAD_REQUEST: 'A request or message does not have the expected form.',
  MEDIA_TYPE_UNSUPPORTED: 'The body of a request has a charset or a content coding that is not read here.',
  NOT_FOUND: 'Nothing is served at that path.',
  METHOD_NOT_ALLOWED: 'The path exists, but not for that HTTP method.',
  TOKEN_REQUIRED: 'The token is missing or wrong.',
  TOKEN_INVALID:
    'A token that was given can not be used: it is empty, too long or has other characters than ASCII.',
  TOKEN_FILE:
    'The file with the tokens of a coordinator of this machine can not be written, or others may read it.',
  TOO_MANY_ATTEMPTS: 'Too many wrong tokens came from one address; the message says when to try again.',
  ORIGIN_REFUSED: 'The request comes from a web page of another origin.',
  RATE_LIMITED: 'A worker sends more than the coordinator accepts.',
  PROTOCOL_MISMATCH: 'Worker and coordinator speak different protocol versions.',
  POOL_FULL: 'The coordinator accepts no more workers.',
  WORKER_UNKNOWN: 'No worker of that id.',
  WORKER_REMOVED: 'The owner sent this worker away.',
  WORKER_BANNED: 'The owner banned this worker, or the address that it comes from.',
  BAN_LIST_FULL: 'There are as many bans as the coordinator keeps; lift some first.',
  INVITATION_USED_UP: 'As many workers as it was for have joined by an invitation.',
  INVITATION_EXPIRED: 'The time of an invitation is over: nobody new joins by it.',
  INVITATION_UNKNOWN: 'No invitation of that id.',
  INVITATION_LIST_FULL: 'There are as many invitations as the coordinator keeps; revoke some first.',
  ADDRESS_FULL: 'The coordinator accepts no more workers from that address.',
  TOO_MANY_CONNECTIONS: 'More connections are open than the server takes, in all or from one address.',
  UPLOAD_REFUSED:
    'A worker may not store that: it is in no run that stores anything, or it stores too much or too fast.',
  COORDINATOR_CLOSED: 'The coordinator is closing or closed.',
  RUN_UNKNOWN: 'No run of that id.',
  RUN_MODEL_UNAVAILABLE: 'The coordinator can not make that of the run; the message says why.',
  RUN_EXISTS: 'A run of that id exists already.',
  RUN_ABANDONED: 'The process of the run owner ended while the run went on.',
  RUN_REQUEST_INVALID: 'A run asks for something impossible.',
  RUN_STUCK: 'The group of a run can not get a round done; the message names the workers and why.',
  MEMBERS_DISAGREE:
    'Workers of a run came to different results; the message names them and says what differs.',
  WORKER_FAILED: 'Most workers of a run reported that they can not do it.',
  PARAMETER_UNKNOWN: 'A training parameter of that name does not exist.',
  PARAMETER_OUT_OF_RANGE: 'A training parameter has a value outside its range or of the wrong kind.',
  LABEL_INVALID: 'A label is missing, not finite or outside what the objective allows.',
  WEIGHT_INVALID: 'A row weight is negative, missing or not finite.',
  SUMS_INEXACT: 'There are more rows, or larger gradients, than exact integer sums can hold.',
  CATEGORY_INVALID: 'A categorical column has too many categories or a code outside them.',
  TRAIN_ARGUMENT: 'An argument of the trainer is missing, out of range or contradicts another.',
  TRAIN_COLUMN_UNSUITABLE: 'A column is of a kind that trees can not take as it is.',
  TRAIN_NO_ROWS: 'A dataset has no rows, e.g. after a split.',
  TRAIN_TOO_MANY_WORKERS: 'A run asks for more workers than there are rows.',
  TRAIN_WORKERS_LOST: 'Local workers ended and could not be replaced.',
  CHECKPOINT_INVALID: 'A checkpoint does not exist, can not be read or does not fit the run.',
  PROJECT_INVALID:
    'What is to be said of a project on the page of volunteers has a part that can not be shown.',
  RUN_FOLDER_TAKEN:
    'The folder of a run holds an earlier one, which would be lost, or another process records a run in it.',
  RUN_NOT_ATTACHED:
    'There is no run to follow: the folder has no run.json, or one that is damaged or of another trainer.',
  RESULT_WRITE_FAILED: 'Results can not be written; nothing half-written is left.',
  PLOT_ARGUMENT: 'An option of a plot, or the name of its file, is not accepted.',
  TUNE_ARGUMENT: 'An option of the tuner is missing, out of range or contradicts another.',
  TUNE_SPACE_INVALID: 'A search space has nothing to search, or a part that no value fits.',
  TUNE_METRIC_MISSING: 'No trial reported the metric that is to be tuned; the message has those that were.',
  TUNE_EXPERIMENT_INVALID: 'A folder holds no tuning experiment, or one that can not be gone on with.',
  EXPERIMENT_OVER: 'A tuning experiment, or a trial of it, that is to be stopped has ended.',
  TUNE_TRIAL_FAILED: "A trial's own function threw, or reported something that is no set of metrics.",
  TUNE_CHECKPOINT_MISSING: 'A scheduler pauses trials, and one reported no checkpoint to go on from.',
  NET_INVALID: 'A neural net contradicts itself or its data; the message names the layer.',
  NET_TOO_LARGE:
    'A neural net or its microbatch is more than the device takes; the message says what would fit.',
  ENGINE_MISUSE: 'A training engine was given a batch, a state or a call that does not fit its net.',
  SHARD_INVALID: 'A shard of prepared rows does not decode or contradicts itself.',
  TRAIN_SPEC_MALFORMED: 'What the coordinator says of a run does not decode or contradicts itself.',
  TREE_MALFORMED: 'A tree received from a peer or a record does not decode.',
  PROGRAM_VALUE_INVALID: 'A value can not travel between the owner and a program on a worker.',
  PROGRAM_FRAME_INVALID: 'A message between the owner and a program is malformed or larger than accepted.',
  PROGRAM_BUNDLE_FAILED: "The owner's module can not be found or bundled for the workers.",
  PROGRAM_EXPORT_MISSING: "The owner's module has no export of that name that can be called.",
  PROGRAM_REFUSED: 'A worker does not run code of owners, or not this program.',
  PROGRAM_START_FAILED: "A program could not be started: the owner's class threw, or took too long.",
  PROGRAM_CODE_FAILED: "The owner's code threw on a worker; the message has file and line.",
  PROGRAM_ANSWERS_DIFFER:
    'Workers answer the same question differently, and it can not be told who is wrong.',
  PROGRAM_LOST: 'The worker that ran a program is gone, or its thread ended.',
  MODEL_MALFORMED: 'A model file is damaged or not one of XGBoost (JSON or UBJSON).',
  PREDICT_ARGUMENT: 'An option of a prediction, or the shape of its columns, does not fit the model.',
  MODEL_UNSUPPORTED: 'A model file is valid but uses a booster or objective that is not supported.',
  NEURAL_MODEL_INVALID: 'The topology of a neural net, or an option for it, does not have the expected form.',
  TFJS_UNAVAILABLE:
    'The thread in which tfjs is asked about a model could not be started, or gave no answer.',
  NEURAL_WEIGHTS_MISMATCH: 'Weights or optimizer state are of another model, cut short or damaged.',
  NEURAL_DATA_MISMATCH: 'Rows do not fit the model: shape, kind or range; the message names row and column.',
  NEURAL_LOSS_NOT_FINITE: 'The loss of a step is not a finite number; the message names step and layer.',
  PEER_LOST: 'A link to a peer closed or could not be made; the message names the peer.',
  PEER_UNPROVEN: 'A peer did not prove by the key of the link that it is the worker that it says it is.',
  FRAME_INVALID: 'A frame from a peer breaks the rules of the wire; the message names the peer.',
  FRAME_CORRUPT: 'The checksum of a frame does not match its bytes; the message names the peer.',
  PEER_MESSAGE_INVALID:
    'What a peer sent can not be read, or contradicts itself; the message names the peer.',
  PEER_CONTRADICTS: 'A peer says that it sent, or got, something else than this worker got or sent.',
  FRAME_VERSION: 'A peer speaks another version of the peer-to-peer wire.',
  COLLECTIVE_MISUSE: 'A collective was called with arguments that can not work, or after it had failed.',
  SIGNALLING_FAILED: 'The signalling server can not be reached.',
  SIGNALLING_REFUSED: 'The signalling server will not have this worker under its id, key or token.',
  SERVE_ARGUMENT: 'An option or argument of serving is unknown, out of range or contradicts another.',
  SERVE_INPUT_INVALID: 'Rows or tensors to predict do not fit the model; the message names row and field.',
  SERVE_OVERLOADED: 'A deployment has as many requests waiting as it accepts; try again later.',
  APPLICATION_UNREACHABLE:
    'The coordinator does not reach the server of an application, or it answers more than is passed on.',
  SERVE_UNAVAILABLE: 'A deployment is stopping or has no replica that could answer.',
  SERVE_REPLICA_LOST:
    'A replica ended with the request in its hands, and so did those that were tried after it.',
  SERVE_CODE_FAILED: 'A class of the owner threw, in its constructor or on a request.',
  REQUEST_TIMEOUT: 'A client did not send all of its request in time.',
} as const;

/** The code of a failure, by which programs tell failures apart; `errorCodes` has what each means. */
export type ErrorCode = keyof typeof errorCodes;

/** Where a failure happened, as far as it is known. */
export interface ErrorPlace {
  readonly file?: string;
  readonly column?: string;
  /** Zero-based row of the file or dataset. */
  readonly row?: number;
  /** Path of a setting or message field, e.g. `params.max_depth`. */
  readonly field?: string;
  /** Worker id of the peer. */
  readonly peer?: string;
}

/**
 * Base of every error that tabgrad throws on purpose. The message says what was wrong, what was expected and where. It may
 * quote what came from elsewhere: what would act on a terminal is written out (see visibleText).
 */
export abstract class TabgradError extends Error {
  /** Which failure it is. */
  abstract readonly code: ErrorCode;
  /** Where it happened; empty where that is not known. */
  readonly place: ErrorPlace;

  /** @param options the `cause`, where another error led to this one. */
  constructor(message: string, place: ErrorPlace = {}, options?: ErrorOptions) {
    super(visibleText(message), options);
    this.name = new.target.name;
    this.place = place;
  }
}

/** A wait reached its deadline. `place.peer` names who did not answer, where that is one peer. */
export class DeadlineError extends TabgradError {
  readonly code = 'DEADLINE_EXCEEDED';
}

/** The caller's AbortSignal fired. */
export class AbortedError extends TabgradError {
  readonly code = 'ABORTED';
}
