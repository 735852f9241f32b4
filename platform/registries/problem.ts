import { PlatformError } from '../errors.ts'

/** `denied`: to this login, or to nobody in particular. `limited`: too often asked. */
export type RegistryProblemKind = 'denied' | 'not-found' | 'limited' | 'unavailable' | 'invalid'

/** What a registry elsewhere answered instead of what it was asked for. `message` is a sentence for a person. */
export class RegistryProblem extends Error {
  override readonly name = 'RegistryProblem'
  readonly kind: RegistryProblemKind
  /** How long it wants us to wait, where it said so. */
  readonly retryAfterMs: number | null

  constructor(
    kind: RegistryProblemKind,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number | null } = {},
  ) {
    super(message, { cause: options.cause })
    this.kind = kind
    this.retryAfterMs = options.retryAfterMs ?? null
  }
}

/** The same said at a field of what was asked for. */
export function asInvalid(problem: RegistryProblem, path: string): PlatformError {
  const { message } = problem
  return new PlatformError('invalid', message, { fields: [{ path, message }], cause: problem })
}
