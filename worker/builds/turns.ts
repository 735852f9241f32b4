/** Whose build is next: fair between teams, however many each of them asks for. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { BuildWait } from '../../platform/model/builds.ts'

export interface BuildTurns {
  /** Waits for a place, has the work done, and gives the place back. Throws the signal's reason while it waits. */
  run<T>(turn: Turn, work: () => Promise<T>): Promise<T>
}

export interface Turn {
  id: string
  teamId: string
  signal: AbortSignal
  /** Takes one of the team's own places; false: it has none free. */
  takePlace: () => Promise<boolean>
  /** Called when the reason or the number of those before it is another. */
  onWait: (waiting: BuildWait) => void
}

interface Waiting extends Turn {
  go: () => void
  told: string
}

const lookMs = 500

/**
 * `places` build at once; where one is under way already, another begins only with `hasRoom`. Of those that wait the
 * team begins that has the fewest under way, then the one that has had no turn for longest.
 */
export function createBuildTurns({
  places,
  hasRoom,
}: {
  places: number
  hasRoom: () => boolean
}): BuildTurns {
  const waiting: Waiting[] = []
  const underWay = new Map<string, number>()
  const lastTurn = new Map<string, number>()
  let turns = 0
  let isLooking = false

  const count = () => [...underWay.values()].reduce((sum, each) => sum + each, 0)

  /** Those that wait, in the order in which they would begin. */
  function inOrder(): Waiting[] {
    const left = [...waiting]
    const running = new Map(underWay)
    const last = new Map(lastTurn)
    const ordered: Waiting[] = []
    for (let turn = turns; left.length > 0; turn++) {
      const [next] = left.toSorted(
        (a, b) =>
          (running.get(a.teamId) ?? 0) - (running.get(b.teamId) ?? 0) ||
          (last.get(a.teamId) ?? -1) - (last.get(b.teamId) ?? -1) ||
          left.indexOf(a) - left.indexOf(b),
      )
      if (next === undefined) break
      left.splice(left.indexOf(next), 1)
      ordered.push(next)
      running.set(next.teamId, (running.get(next.teamId) ?? 0) + 1)
      last.set(next.teamId, turn)
    }
    return ordered
  }

  async function look(): Promise<void> {
    if (isLooking) return
    isLooking = true
    try {
      while (waiting.length > 0) {
        await beginWhatMay()
        await sleep(waiting.length > 0 ? lookMs : 0)
      }
    } finally {
      isLooking = false
    }
  }

  async function beginWhatMay(): Promise<void> {
    const full = new Set<string>()
    for (const [before, turn] of inOrder().entries()) {
      if (!waiting.includes(turn)) continue
      if (count() >= places) tell(turn, { reason: 'host', before })
      else if (count() > 0 && !hasRoom()) tell(turn, { reason: 'memory', before })
      else if (full.has(turn.teamId) || !(await turn.takePlace())) {
        full.add(turn.teamId)
        tell(turn, { reason: 'team', before })
      } else begin(turn)
    }
  }

  function tell(turn: Waiting, wait: BuildWait): void {
    const text = JSON.stringify(wait)
    if (text === turn.told) return
    turn.told = text
    turn.onWait(wait)
  }

  function begin(turn: Waiting): void {
    const at = waiting.indexOf(turn)
    if (at < 0) return
    waiting.splice(at, 1)
    underWay.set(turn.teamId, (underWay.get(turn.teamId) ?? 0) + 1)
    lastTurn.set(turn.teamId, turns++)
    turn.go()
  }

  return {
    async run(turn, work) {
      turn.signal.throwIfAborted()
      const gone = Promise.withResolvers<never>()
      gone.promise.catch(() => undefined)
      const ready = Promise.withResolvers<void>()
      const entry: Waiting = { ...turn, go: ready.resolve, told: '' }
      const leave = () => {
        const at = waiting.indexOf(entry)
        if (at < 0) return
        waiting.splice(at, 1)
        gone.reject(turn.signal.reason)
      }
      turn.signal.addEventListener('abort', leave, { once: true })
      waiting.push(entry)
      look().catch((error) => gone.reject(error))
      try {
        await Promise.race([ready.promise, gone.promise])
        try {
          return await work()
        } finally {
          const left = (underWay.get(turn.teamId) ?? 1) - 1
          if (left === 0) underWay.delete(turn.teamId)
          else underWay.set(turn.teamId, left)
        }
      } finally {
        turn.signal.removeEventListener('abort', leave)
        const at = waiting.indexOf(entry)
        if (at >= 0) waiting.splice(at, 1)
      }
    },
  }
}
