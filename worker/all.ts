/** Like Promise.all, but nothing is under way any more when it throws, so that it can be undone. */
export async function all<T>(work: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work)
  return Promise.all(work)
}
