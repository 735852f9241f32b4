/** What an attempt went through, written down as it happens: whoever looks at the domain sees it. */
import { publishName } from '../../domains/live.ts'
import type { CertificateStep } from '../../model/certificates.ts'
import type { Platform } from '../../open.ts'

/** An attempt ended here. `message` is what is told. */
export class AttemptFailed extends Error {
  override readonly name = 'AttemptFailed'
}

/** It goes on when a record is there: until then nothing failed. */
export class AttemptWaits extends Error {
  override readonly name = 'AttemptWaits'
  readonly until: Date
  /** Whether people have to set it. */
  readonly isForPeople: boolean

  constructor(message: string, until: Date, { isForPeople }: { isForPeople: boolean }) {
    super(message)
    this.until = until
    this.isForPeople = isForPeople
  }
}

export interface Attempt {
  /** Begins a step, or says how it stands. */
  tell(step: CertificateStep['step'], status: CertificateStep['status'], found?: string): Promise<void>
  /** Ends the attempt at a step. */
  fail(step: CertificateStep['step'], status: 'wrong' | 'failed', found: string): Promise<never>
}

/** Nobody else works at it for so long after each step. */
export const claimMs = 5 * 60_000

export function beginAttempt(
  platform: Platform,
  { id, name, teamId }: { id: string; name: string; teamId: string | null },
): Attempt {
  const steps: CertificateStep[] = []
  const tell: Attempt['tell'] = async (step, status, found = '') => {
    const entry = { step, status, found: found.slice(0, 500), at: new Date().toISOString() }
    const at = steps.findIndex((each) => each.step === step)
    if (at === -1) steps.push(entry)
    else steps[at] = entry
    await platform.db.certificate.updateMany({
      where: { id },
      data: { steps, workingUntil: new Date(Date.now() + claimMs) },
    })
    await publishName(platform, { name, teamId })
  }
  return {
    tell,
    async fail(step, status, found) {
      await tell(step, status, found)
      throw new AttemptFailed(found)
    },
  }
}
