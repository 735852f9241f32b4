/** Takes each step, also after one that failed. Throws the first failure; those after it are told with it, and never in its place. */
export async function inOrder(...steps: (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = []
  for (const step of steps) await step().catch((error) => failures.push(error))
  if (failures.length > 1) throw new AggregateError(failures, String(failures[0]), { cause: failures[0] })
  if (failures.length > 0) throw failures[0]
}
