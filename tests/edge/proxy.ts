// A way to the database that can be cut: connections through it break, new ones
// are refused, or nothing that is sent arrives any more.

export class Proxy implements AsyncDisposable {
  #listener: Deno.TcpListener;
  readonly port: number;
  readonly #open = new Set<Deno.Conn>();
  readonly #silent = new WeakSet<Deno.Conn>();

  constructor(private readonly connect: () => Promise<Deno.Conn>) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#serve(this.#listener);
  }

  /** Breaks everything, and refuses what comes. */
  cut(): void {
    this.#listener.close();
    for (const connection of this.#open) connection.close();
    this.#open.clear();
  }

  restore(): void {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: this.port });
    this.#serve(this.#listener);
  }

  /** What is open stays open, and nothing goes through it; new ones work. */
  silence(): void {
    for (const connection of this.#open) this.#silent.add(connection);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    return Promise.resolve();
  }

  async #serve(listener: Deno.TcpListener): Promise<void> {
    try {
      for await (const near of listener) {
        const far = await this.connect();
        this.#open.add(near).add(far);
        this.#pump(near, far);
        this.#pump(far, near);
      }
    } catch {
      // Closed.
    }
  }

  async #pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const size = await from.read(buffer);
        if (size === null) break;
        let sent = 0;
        while (!this.#silent.has(from) && sent < size) {
          sent += await to.write(buffer.subarray(sent, size));
        }
      }
    } catch {
      // Cut, or ended by the other side.
    }
    for (const end of [from, to]) {
      if (this.#open.delete(end)) end.close();
    }
  }
}
