/** What travels between the server and the web app, as the API's contract names it. */

export type Role = "owner" | "admin" | "member" | "guest";
export type PresenceState = "online" | "away" | "offline";

export interface Me {
  id: string;
  name: string;
  email: string;
  role: Role;
  organization: { id: string; name: string };
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
  error?: unknown;
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
