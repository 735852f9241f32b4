/** Networks in a process of its own, which may be in another network namespace: obeys what it is sent. */

import { EngineError } from '../../engine/index.ts'
import { createNetworks, type NetworksParts } from '../../engine/network/create-networks.ts'
import { openState } from '../../engine/state/database.ts'
import { startSpawner } from '../../engine/sys/spawner.ts'

const { stateDir, ...options } = JSON.parse(process.argv[2] ?? '') as Omit<
  NetworksParts,
  'state' | 'spawner' | 'log'
> & {
  stateDir: string
}
const state = openState(stateDir)
const spawner = startSpawner({ tag: options.runDir })
const log = (message: string, error: unknown) => console.error(message, error ?? '')
const networks = await createNetworks({ ...options, state, spawner, log })

process.on(
  'message',
  async ({ id, method, args }: { id: number; method: keyof typeof networks; args: unknown[] }) => {
    try {
      const value = await (networks[method] as (...all: unknown[]) => unknown)(...args)
      process.send?.({ id, value })
    } catch (error) {
      const { message } = error as Error
      process.send?.({ id, error: { message, kind: error instanceof EngineError ? error.kind : 'unknown' } })
    }
  },
)
process.on('disconnect', () => process.exit())
process.send?.({ ready: true })
