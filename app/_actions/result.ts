import type { FieldProblem, ProblemCode } from '@/platform/errors.ts'

/** What every server action answers; errors are values, since Next.js hides the words of thrown ones. */
export type ActionResult<Data = null> =
  | { ok: true; data: Data }
  | {
      ok: false
      code: ProblemCode
      message: string
      fields: FieldProblem[]
      retryAfterSeconds: number | null
    }

export type Problem = Extract<ActionResult, { ok: false }>
