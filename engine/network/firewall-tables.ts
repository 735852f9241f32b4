/** The engine's tables in the kernel: changed one transaction after another, made again when they are not there. */
import type { Spawner } from '../sys/spawner.ts'

export interface FirewallTables {
  /** Makes the tables anew from what is recorded; takes them away when there is no network. */
  load(): Promise<void>
  /** Applies a small change that is recorded already; where that fails, the tables are made anew. */
  change(text: string): Promise<void>
  /** Others flush the host's rules, as a restart of nftables.service does. */
  areThere(): Promise<boolean>
}

/** @param rules the whole text as of now; null when there is nothing to guard */
export function createFirewallTables(
  spawner: Spawner,
  table: string,
  rules: () => string | null,
): FirewallTables {
  let waiting: string[] = []
  let next: Promise<void> | null = null
  let last: Promise<unknown> = Promise.resolve()

  /** One at a time: a load that began before a change was recorded must not end after that change was made. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work)
    last = result.catch(() => {})
    return result
  }

  const nothing = ['bridge', 'inet'].map(
    (family) => `add table ${family} ${table}\ndelete table ${family} ${table}\n`,
  )

  async function load(): Promise<void> {
    await spawner.mustRun(['nft', '-f', '-'], { input: rules() ?? nothing.join('') })
  }

  return {
    load: () => inTurn(load),
    change(text) {
      waiting.push(text)
      // What is asked for while another transaction runs goes into the next one together.
      next ??= inTurn(async () => {
        const input = waiting.join('')
        waiting = []
        next = null
        const { code } = await spawner.run(['nft', '-f', '-'], { input })
        if (code !== 0) await load()
      })
      return next
    },
    areThere: () =>
      inTurn(async () => {
        const { code, stdout } = await spawner.run(['nft', 'list', 'chain', 'bridge', table, 'prerouting'])
        const inet = await spawner.run(['nft', 'list', 'chain', 'inet', table, 'forward'])
        // A flush of a table leaves chains that are empty.
        return code === 0 && inet.code === 0 && [stdout, inet.stdout].every((text) => /^\s+drop$/m.test(text))
      }),
  }
}
