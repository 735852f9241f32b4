import type { z } from 'zod'
import { type FieldProblem, PlatformError } from './errors.ts'

/** Parses input from outside. Throws `invalid` with every problem's path, such as `settings.port`. */
export function validate<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  throw invalidInput(parsed.error)
}

/** The same error out of what zod found. */
export function invalidInput(error: { issues: z.core.$ZodIssue[] }): PlatformError {
  const fields = error.issues.flatMap(fieldProblems)
  const first = fields[0]
  const sentence =
    first === undefined ? 'The input is not right.' : `${first.path || 'input'}: ${first.message}`
  return new PlatformError('invalid', sentence, { fields })
}

function fieldProblems(issue: z.core.$ZodIssue): FieldProblem[] {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'is not a known field' }))
  }
  // What is wrong with a name says more than that a name is wrong.
  if (issue.code === 'invalid_key')
    return issue.issues.map(({ message }) => ({ path: path.join('.'), message }))
  return [{ path: path.join('.'), message: issue.message }]
}
