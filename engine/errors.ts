/** The closed set of kinds that decide behaviour; everything else is words. */
export type EngineErrorKind =
  | 'invalid' // what was asked makes no sense, and never will
  | 'not-found'
  | 'already-exists'
  | 'failed-precondition' // not in the state that this needs
  | 'access-denied' // a registry says no to these credentials
  | 'rate-limited' // a registry wants us to wait; trying again later helps
  | 'unavailable' // a neighbour does not answer; trying again may help
  | 'corrupt' // bytes that are not what their digest says, or an image that breaks the rules
  | 'limit-exceeded'
  | 'disk-full' // of this host; trying again helps once somebody has made room
  | 'canceled'
  | 'wrong-platform' // an image that is made for other processors or systems
  | 'unsupported' // this host cannot do it
  | 'internal'

/**
 * Every error that the engine throws on purpose. `message` is a whole sentence with its operands;
 * `isTemporary` answers whether trying the same again may work.
 */
export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly kind: EngineErrorKind
  /** How long whoever refused wants us to wait, where it said so. */
  readonly retryAfterMs: number | undefined

  constructor(kind: EngineErrorKind, message: string, options?: { cause?: unknown; retryAfterMs?: number }) {
    super(message, options)
    this.kind = kind
    this.retryAfterMs = options?.retryAfterMs
  }

  get isTemporary(): boolean {
    return this.kind === 'unavailable' || this.kind === 'rate-limited'
  }
}

/** Whether an unknown thrown value is an EngineError, of this kind if one is given. */
export function isEngineError(error: unknown, kind?: EngineErrorKind): error is EngineError {
  return error instanceof EngineError && (kind === undefined || error.kind === kind)
}
