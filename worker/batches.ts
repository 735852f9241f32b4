/** Replicas are replaced a quarter at a time, so that a host needs room for a quarter more of an app, not for another. */
const share = 4

/** Replicas in the order in which they are made; in one batch when there is nothing to replace. */
export function batchesOf(replicas: number, isReplacing: boolean): number[][] {
  const size = isReplacing ? Math.ceil(replicas / share) : replicas
  const all = Array.from({ length: replicas }, (_, replica) => replica)
  return Array.from({ length: Math.ceil(replicas / size) }, (_, batch) =>
    all.slice(batch * size, (batch + 1) * size),
  )
}

/** How many of the old replicas go on serving once so many of the new ones do: their share, and none at the end. */
export function oldLeft({ old, made, wanted }: { old: number; made: number; wanted: number }): number {
  return Math.floor((old * (wanted - made)) / wanted)
}
