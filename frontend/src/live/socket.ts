/** The one live connection: when to try again and where, and what each way of losing it means. */
import { io, type Socket } from "socket.io-client";
import { nextInstance, reconnectDelay } from "../sync/backoff";

export type Handlers = Record<string, (payload: never) => void>;

export interface ConnectionPorts {
  /** Addresses to alternate between; empty for this page's own origin. */
  instances: readonly string[];
  handlers: Handlers;
  status: (connected: boolean) => void;
  /** Ask the server whether the session still lives; answers false only when it surely does not. */
  sessionLives: () => Promise<boolean>;
  ended: () => void;
}

interface Ack {
  ok: boolean;
  error?: { code: string; message: string } | string;
}

export class AckError extends Error {
  constructor(readonly code: string, message: string) {
    super(message);
  }
}

const CONNECT_TIMEOUT_MS = 6_000;
const ACK_TIMEOUT_MS = 5_000;
const STEADY_MS = 5_000;

export class Connection {
  private socket: Socket | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private steady: ReturnType<typeof setTimeout> | null = null;
  private attempt = 0;
  private instance = 0;
  private stopped = false;

  constructor(private readonly ports: ConnectionPorts) {}

  get connected(): boolean {
    return this.socket?.connected ?? false;
  }

  start(): void {
    this.stopped = false;
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
    this.socket?.removeAllListeners();
    this.socket?.disconnect();
    this.socket = null;
  }

  /** Try at once instead of waiting: the machine woke up, or the network came back. */
  hurry(): void {
    if (this.stopped || this.connected) return;
    this.attempt = 0;
    this.connect();
  }

  /** Give this connection up although it seems open, and make a new one. */
  replace(): void {
    if (this.stopped) return;
    this.lost();
  }

  /** Emit and wait for the ack. Raises AckError: `offline`, `timeout`, or what the server says. */
  async ask<T>(event: string, payload: unknown, timeoutMs = ACK_TIMEOUT_MS): Promise<T> {
    if (!this.socket?.connected) throw new AckError("offline", "There is no connection.");
    let ack: Ack;
    try {
      ack = (await this.socket.timeout(timeoutMs).emitWithAck(event, payload)) as Ack;
    } catch {
      throw new AckError("timeout", "The server did not answer in time.");
    }
    if (ack.ok) return ack as T;
    if (typeof ack.error === "object") throw new AckError(ack.error.code, ack.error.message);
    throw new AckError(ack.error ?? "failed", "That did not work.");
  }

  private connect(): void {
    this.cancel();
    this.socket?.removeAllListeners();
    this.socket?.disconnect();
    const url = this.ports.instances[this.instance];
    const options = {
      path: "/socket.io/",
      transports: ["websocket"],
      withCredentials: true,
      // Socket.IO's own reconnecting knows neither our delays nor a second address.
      reconnection: false,
      forceNew: true,
      timeout: CONNECT_TIMEOUT_MS,
    };
    const socket = url ? io(url, options) : io(options);
    this.socket = socket;
    for (const [event, handler] of Object.entries(this.ports.handlers)) {
      socket.on(event, handler as (payload: unknown) => void);
    }
    socket.on("connect", () => {
      this.ports.status(true);
      // A server that lets people in and sends them away at once must not be stormed.
      this.steady = setTimeout(() => {
        this.attempt = 0;
      }, STEADY_MS);
    });
    socket.on("connect_error", (error: Error & { data?: { code?: string } }) => {
      if (error.data?.code === "unauthenticated") void this.checkSession(socket);
      else this.lost();
    });
    socket.on("disconnect", (reason) => {
      if (reason === "io server disconnect") void this.checkSession(socket);
      else this.lost();
    });
  }

  /** The server sent us away on purpose: either the session was revoked, or this instance is leaving. */
  private async checkSession(socket: Socket): Promise<void> {
    this.ports.status(false);
    const lives = await this.ports.sessionLives();
    // Something may have woken the connection meanwhile: a new one is not to be thrown away.
    if (this.stopped || (lives && this.socket !== socket)) return;
    if (lives) this.lost();
    else this.ports.ended();
  }

  private lost(): void {
    if (this.stopped || this.timer) return;
    if (this.steady) clearTimeout(this.steady);
    this.ports.status(false);
    this.socket?.removeAllListeners();
    this.socket?.disconnect();
    this.instance = nextInstance(this.ports.instances, this.instance);
    this.timer = setTimeout(() => this.connect(), reconnectDelay(this.attempt));
    this.attempt += 1;
  }

  private cancel(): void {
    if (this.timer) clearTimeout(this.timer);
    if (this.steady) clearTimeout(this.steady);
    this.timer = null;
    this.steady = null;
  }
}
