/** What travels between the server and the web app, as the API's contract names it. */

export type Role = "owner" | "admin" | "member" | "guest";
export type PresenceState = "online" | "away" | "offline";

export interface Me {
  id: string;
  name: string;
  email: string;
  role: Role;
  organization: { id: string; name: string };
  /** IANA name. */
  time_zone: string;
  /** A mail each morning with what was not read. */
  digest: boolean;
  /** May see what belongs to the whole installation. */
  superadmin: boolean;
}

export interface Person {
  id: string;
  name: string;
  email?: string;
  role: Role;
  active?: boolean;
  presence?: PresenceState;
}

export interface Channel {
  id: string;
  name: string;
  private: boolean;
  head: number;
  unread: number;
  mentions: number;
  /** Absent where the server does not tell: then the channel counts as joined. */
  joined?: boolean;
  member?: boolean;
  topic?: string | null;
  read_seq?: number;
}

export interface Message {
  id: string;
  channel_id: string;
  seq: number;
  changed_seq: number;
  author_id: string;
  text: string;
  client_id: string | null;
  thread_id: string | null;
  reactions: Record<string, string[]>;
  created_at: string;
  edited_at: string | null;
  deleted_at: string | null;
}

export interface MessagePage {
  messages: Message[];
  head: number;
  more: boolean;
}

export interface SyncRequest {
  cursors: Record<string, number>;
  epoch?: string;
}

export interface SyncAnswer {
  epoch: string;
  heads: Record<string, number>;
  changes: Record<string, Message[]>;
  more: string[];
  reset: string[];
  gone: string[];
}

export interface MessageEvent {
  channel_id: string;
  seq: number;
  message: Message;
}

export interface Hello {
  user_id: string;
  instance: string;
  epoch: string;
  heads: Record<string, number>;
}

export interface Session {
  id: string;
  device: string;
  address: string;
  created_at: string;
  seen_at: string;
  current: boolean;
}

export interface InvitationPreview {
  organization: string;
  email: string;
  role: Role;
  invited_by: string;
}

export type JobStatus = "queued" | "running" | "done" | "failed" | "cancelled";

export interface Job {
  id: string;
  kind: string;
  status: JobStatus;
  progress: number;
  result_url?: string | null;
  error?: JobFailure | null;
}

export interface JobFailure {
  code: string;
  message: string;
}

export type ReportKind = "channel" | "members" | "audit";
export type ReportFormat = "csv" | "pdf";

/** One of my notifications; not called `Notification`, which the browser has already. */
export interface Notice {
  id: string;
  kind: "mention" | "reply";
  channel_id: string;
  channel_name: string;
  message_id: string;
  thread_id: string | null;
  seq: number;
  author_id: string;
  author_name: string;
  snippet: string;
  created_at: string;
  read_at: string | null;
}

export interface NoticePage {
  notifications: Notice[];
  unread: number;
  next: string | null;
}

/** My organization's jobs in one queue, and the workers the whole installation has for it. */
export interface QueueState {
  queue: string;
  /** Due now. */
  queued: number;
  /** Due later. */
  delayed: number;
  running: number;
  failed: number;
  /** How long the oldest due one has waited. */
  oldest_seconds: number;
  workers: number;
  /** Jobs that the workers can run at once. */
  slots: number;
}

export type OpenStatus = "queued" | "running" | "failed";

export interface QueueJob {
  id: string;
  kind: string;
  queue: string;
  status: JobStatus;
  attempt: number;
  failures: number;
  crashes: number;
  progress: number;
  error: JobFailure | null;
  actor_id: string;
  created_at: string;
  due_at: string;
  started_at: string | null;
  finished_at: string | null;
}

export interface AuditEntry {
  id: string;
  /** `<resource>.<past verb>` */
  action: string;
  actor_id: string;
  actor_name: string;
  subject: { kind: string; id: string; name: string };
  details: Record<string, string | boolean | number>;
  address: string | null;
  created_at: string;
  seal: string | null;
}

export interface AuditCheck {
  entries: number;
  sealed: number;
  intact: boolean;
  broken_at: string | null;
}

export interface NewMessage {
  text: string;
  client_id: string;
  thread_id?: string;
}

export interface Problem {
  field: string;
  problem: string;
}

export interface ErrorBody {
  code: string;
  message: string;
  details?: unknown;
  request_id?: string;
}
