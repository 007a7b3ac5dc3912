// The tables of the record, as the query builder knows them. Their making is in migrations/; both dialects have the same.

export interface RunsTable {
  run_id: string;
  name: string;
  /** The request as JSON, without the owner's functions. */
  request: string;
  num_boost_round: number;
  /** 1 when the owner's functions belong to the process that started the run, so that it can't go on without that. */
  attended: number;
  status: string;
  generation: number;
  /** The members of that generation as JSON. */
  members: string;
  error_code: string | null;
  error_message: string | null;
  /** Milliseconds since 1970. */
  started_at: number;
  ended_at: number | null;
}

export interface RoundsTable {
  run_id: string;
  round: number;
  trees: string;
  metrics: string;
}

interface RunEventsTable {
  run_id: string;
  sequence: number;
  kind: string;
  event: string;
  /** Milliseconds since 1970; null where an earlier version wrote it. */
  at_ms: number | null;
}

interface SettingsTable {
  name: string;
  value: string;
}

interface BansTable {
  kind: string;
  value: string;
  reason: string;
  /** Milliseconds since 1970. */
  banned_at: number;
}

interface WorkerChecksTable {
  worker_id: string;
  checks_passed: number;
  /** Milliseconds since 1970. */
  changed_at: number;
}

interface LiesTable {
  lie_id: string;
  worker_id: string;
  /** As JSON. */
  evidence: string;
  /** Milliseconds since 1970. */
  found_at: number;
  pardoned_at: number | null;
}

interface InvitationsTable {
  invitation_id: string;
  name: string | null;
  token: string;
  max_workers: number;
  is_trusted: number;
  /** Milliseconds since 1970. */
  created_at: number;
  ends_at: number;
}

interface InvitationUsesTable {
  invitation_id: string;
  worker_id: string;
}

interface ApplicationsTable {
  name: string;
  route_prefix: string;
  model_name: string;
  /** How to bring it back, or why that can not be, as JSON. */
  recipe: string;
  status: string;
  message: string;
  /** Milliseconds since 1970. */
  deployed_at: number;
}

interface DeploymentsTable {
  application: string;
  name: string;
  /** Callees before their callers. */
  position: number;
  version: string | null;
  replicas: number;
}

export interface ExperimentsTable {
  experiment_id: string;
  name: string;
  /** On the machine of its owner. */
  folder: string;
  metric: string | null;
  mode: string | null;
  status: string;
  error_code: string | null;
  /** Milliseconds since 1970. */
  started_at: number;
  heard_at: number;
  ended_at: number | null;
  /** When the process that tells of it began to, by that process's clock; what was wished of an earlier one is over. */
  process_started_at: number | null;
  /** When a stop was wished. */
  stop_wished_at: number | null;
}

export interface TrialsTable {
  experiment_id: string;
  number: number;
  status: string;
  /** Values by their path in the search space, as JSON. */
  assignment: string;
  iterations: number;
  last_score: number | null;
  best_score: number | null;
  run_id: string | null;
  error_code: string | null;
  stop_reason: string | null;
  pruned_at: number | null;
  stop_wished_at: number | null;
}

interface TrialCurvesTable {
  experiment_id: string;
  number: number;
  /** [iteration, score] in order, as JSON; thinned. */
  points: string;
  /** The same, thinned further: for pictures of many trials. */
  outline: string;
}

export interface DatasetsTable {
  dataset_id: string;
  name: string;
  row_count: number;
  size_bytes: number;
  shard_count: number;
  /** Null where its owner told nothing of it. */
  column_count: number | null;
  summary: string | null;
  /** Milliseconds since 1970, the last time. */
  used_at: number;
}

interface RunDatasetsTable {
  run_id: string;
  dataset_id: string;
  used_at: number;
}

interface ServingTable {
  name: string;
  /** As JSON. */
  report: string;
  /** Of the machine that told it. */
  address: string;
  /** Milliseconds since 1970. */
  heard_at: number;
}

export interface StoreSchema {
  applications: ApplicationsTable;
  bans: BansTable;
  datasets: DatasetsTable;
  deployments: DeploymentsTable;
  experiments: ExperimentsTable;
  invitations: InvitationsTable;
  invitation_uses: InvitationUsesTable;
  lies: LiesTable;
  trials: TrialsTable;
  trial_curves: TrialCurvesTable;
  runs: RunsTable;
  rounds: RoundsTable;
  run_datasets: RunDatasetsTable;
  run_events: RunEventsTable;
  serving: ServingTable;
  settings: SettingsTable;
  worker_checks: WorkerChecksTable;
}
