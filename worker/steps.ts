import type { Logger } from '../platform/log.ts'
import type { StepName } from '../platform/model/deployment-step.ts'
import type { Facts } from '../platform/model/facts.ts'
import type { StepOutcome } from '../platform/worker/steps.ts'

/** Where steps are recorded and shown. */
export interface StepRecord {
  start(name: StepName): Promise<void>
  finish(name: StepName, outcome: StepOutcome): Promise<void>
}

export interface Steps {
  /**
   * Runs one step of a long operation: records it, and remembers how to undo it before it is done, since a step that
   * failed half-way has to be undone too. Its value passes through; `say` gives it a sentence that it is shown with,
   * and what the sentence is made from.
   */
  step<T>(
    name: StepName,
    work: (say: (detail: string, facts?: Facts) => void) => Promise<T>,
    options?: { undo?: () => Promise<void> },
  ): Promise<T>
  /** Undoes all that was begun, last first. An undo that fails is logged and does not stop the others. */
  undo(): Promise<void>
}

export interface StepsOptions {
  record: StepRecord
  log: Logger
  /** How a step that threw is recorded; null when it is to be begun again by another worker, and stays as it is. */
  outcomeOf: (error: unknown) => StepOutcome | null
}

export function createSteps({ record, log, outcomeOf }: StepsOptions): Steps {
  const undos: { name: StepName; undo: () => Promise<void> }[] = []
  return {
    async step(name, work, { undo } = {}) {
      await record.start(name)
      if (undo !== undefined) undos.push({ name, undo })
      const said: { detail?: string; facts?: Facts } = {}
      try {
        const value = await work((detail, facts) => Object.assign(said, { detail, facts }))
        await record.finish(name, { status: 'done', ...said })
        return value
      } catch (error) {
        const outcome = outcomeOf(error)
        if (outcome !== null) await record.finish(name, outcome)
        throw error
      }
    },
    async undo() {
      for (const { name, undo } of undos.splice(0).reverse()) {
        try {
          await undo()
        } catch (error) {
          log.error({ err: error, step: name }, 'a step could not be undone; reconcile will clean up')
        }
      }
    },
  }
}
