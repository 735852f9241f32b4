import { z } from 'zod'

/**
 * What a sentence for a person is made from, by name: numbers in the unit that the name says, the rest as text that is
 * no sentence of its own. The dashboard words them in the reader's language.
 */
export const factsSchema = z.record(z.string(), z.union([z.string(), z.number()]))

export type Facts = z.infer<typeof factsSchema>

/** Are those facts there that a sentence can't do without? */
export function hasFacts(facts: Facts, names: readonly string[]): boolean {
  return names.every((name) => facts[name] !== undefined)
}
