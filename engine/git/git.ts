/**
 * Gets source out of Git repositories, with the host's own git, which is fed what strangers wrote and is therefore never
 * trusted: each time it runs in a container of its own, as builds do, from which it reaches the world and nothing of
 * this host but the allowed ports. It runs no hook, reads no configuration but its own, and speaks https and ssh only.
 */
import type { Readable, Writable } from 'node:stream'
import type { IdRange } from '../sys/user-namespace.ts'

export interface Git {
  /**
   * Writes the files of one commit as a tar to `sink`, with those of its submodules, and those that LFS keeps where the
   * host has it. Throws GitFailure for what is wrong with the repository, the way to it, or what it holds, EngineError
   * for what is wrong here, and the signal's reason.
   */
  fetch(spec: FetchSpec, sink: Writable, options?: GitOptions): Promise<Fetched>
  /** What a name means there now, and which paths are another's since a commit. Throws what fetch() throws. */
  look(spec: LookSpec, options?: GitOptions): Promise<Seen>
  /** Writes what a repository that is pushed to says first (gitprotocol-http(5)); makes it when it is not there. */
  advertise(spec: PushSpec, sink: Writable, options?: GitOptions): Promise<void>
  /**
   * Takes in one push: what the client sends, and what it is answered. Before anything changes `decide` is asked, which
   * may take long; false: the repository stays as it is, and the client is told that its push was refused. That is so, too,
   * when it throws, which is thrown on then. It is not asked about what is no push, or one beyond the limits. Nothing is
   * ever deleted, whatever it says. Throws what fetch() throws.
   */
  receive(
    spec: PushSpec,
    exchange: { input: Readable; output: Writable },
    decide: (push: IncomingPush) => Promise<boolean>,
    options?: GitOptions,
  ): Promise<void>
  /** Forgets a repository that was pushed to. No error if there is none. */
  dropRepository(name: string): Promise<void>
}

export interface PushSpec {
  /** As of other work. */
  id: string
  /** Of the repository, such as the app's id; on a disk of its own, which does not grow beyond `diskBytes`. */
  repository: string
  /** The largest pack that is taken, in bytes. */
  maxPackBytes: number
  idRange: IdRange
  limits: GitLimits
}

export interface IncomingPush {
  /** Null: the ref was not there before, or is to be deleted. */
  updates: { ref: string; before: string | null; after: string | null }[]
  /** The client shows it, beginning with `remote:`. */
  say(text: string): void
  /** Of what is pushed. Throws GitFailure. */
  commit(sha: string): Promise<FetchedCommit>
  /** Writes the files of a commit as a tar. Throws GitFailure. */
  pack(sha: string, sink: Writable): Promise<void>
}

export interface Remote {
  /** https://host[:port]/path or ssh://user@host[:port]/path. */
  url: string
  /** Addresses that the host's name stands for; default: what it means when it is looked up in the container. */
  addresses?: string[]
  credentials?: { username: string; password: string }
  /** A private key as OpenSSH writes it. */
  sshKey?: string
  /** Keys of the host such as `ssh-ed25519 AAAA…`; none: whatever it shows is trusted, and told. */
  hostKeys?: string[]
  /** PEM certificates that may sign the host's, besides those that this host trusts. */
  ca?: string
}

export interface GitRef {
  kind: 'branch' | 'tag' | 'commit'
  name: string
}

interface GitWork {
  /** Chosen by the caller, unique on this host among those that run: [a-z0-9][a-z0-9_-]{0,56}. */
  id: string
  remote: Remote
  idRange: IdRange
  limits: GitLimits
}

export interface FetchSpec extends GitWork {
  ref: GitRef
  /** This commit and no other, such as the one that the branch was at. */
  sha?: string
}

export interface LookSpec extends GitWork {
  ref: GitRef
  /** A commit to compare with; null: no paths are asked for. */
  since: string | null
}

export interface GitLimits {
  memoryBytes: number
  /** Thousandths of a processor. */
  cpuMillis: number
  pids: number
  /** For what is fetched and its files together. */
  diskBytes: number
  timeMs: number
}

export interface GitOptions {
  /** What git says of its progress. */
  onLine?: (text: string) => void
  signal?: AbortSignal
}

export interface FetchedCommit {
  sha: string
  /** The first line of its message. */
  subject: string
  author: string
  at: Date
}

export interface Fetched {
  commit: FetchedCommit
  /** Those that the host showed, when none were given and it was asked by ssh. */
  hostKeys: string[]
}

export interface Seen {
  sha: string
  /** Null where nobody asked, or the commit to compare with is not there any more. */
  changed: string[] | null
  hostKeys: string[]
}

export const gitFailureReasons = [
  'denied', // by the host, or there is no such repository: hosts say the same of both
  'ref-missing',
  'unreachable',
  'host-key', // another than those that were given
  'certificate',
  'disk-full', // of this piece of work
  'timeout',
  'failed',
] as const

export type GitFailureReason = (typeof gitFailureReasons)[number]

/** Git did not get what was asked for. `message` is what it said last, without any secret. */
export class GitFailure extends Error {
  override readonly name = 'GitFailure'
  readonly reason: GitFailureReason

  constructor(reason: GitFailureReason, message: string) {
    super(message)
    this.reason = reason
  }
}
