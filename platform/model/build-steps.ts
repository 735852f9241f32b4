/** The steps of a Dockerfile in what a build says. Browser-safe, pure. Source: buildah-build(1), imagebuildah/executor. */
import type { BuildLine } from './builds.ts'

export interface BuildStep {
  /** As the Dockerfile has it, such as `RUN npm ci`; null: what is said outside of its steps. */
  instruction: string | null
  /** Such as 3/7; with more than one stage 1/2 · 3/7. */
  place: string | null
  /** Of its first line, and of the one after its last. */
  from: number
  to: number
  startedAt: string
  /** Null as long as it goes on. */
  finishedAt: string | null
  /** It was taken from what earlier builds left. */
  isCached: boolean
}

const stepLine = /^(?:\[(\d+\/\d+)\] )?STEP (\d+(?:\/\d+)?): (.*)$/

/** Whether a line begins a step, and which. */
export function stepOf(text: string): { place: string; instruction: string } | null {
  const found = stepLine.exec(text)
  if (found === null) return null
  const [, stage, step = '', instruction = ''] = found
  return { place: stage === undefined ? step : `${stage} · ${step}`, instruction }
}

export function isCacheLine(text: string): boolean {
  return text.startsWith('--> Using cache ')
}

/** What is known of a log until now; lines are added in their order. */
export interface StepReader {
  readonly steps: readonly BuildStep[]
  add(line: BuildLine): void
}

export function createStepReader(): StepReader {
  const steps: BuildStep[] = []
  let count = 0
  return {
    steps,
    add({ text, stream, at }) {
      const last = steps.at(-1)
      const begun = stream === 'info' ? null : stepOf(text)
      // What Berth itself says between its phases belongs to none of the steps.
      const isOutside = stream === 'info' && last?.instruction !== null
      if (last === undefined || begun !== null || isOutside) {
        if (last !== undefined) last.finishedAt = at
        steps.push({
          instruction: begun?.instruction ?? null,
          place: begun?.place ?? null,
          ...{ from: count, to: count + 1, startedAt: at, finishedAt: null, isCached: false },
        })
      } else {
        last.to = count + 1
        if (isCacheLine(text)) last.isCached = true
      }
      count += 1
    },
  }
}
