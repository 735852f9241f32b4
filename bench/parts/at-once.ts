/** Does the work for each thing, for so many at a time. Ends at the first failure. */
export async function forEachAtOnce<Thing>(
  atOnce: number,
  things: readonly Thing[],
  work: (thing: Thing) => Promise<void>,
): Promise<void> {
  const left = things.values()
  const next = async () => {
    for (const thing of left) await work(thing)
  }
  await Promise.all(Array.from({ length: atOnce }, next))
}
