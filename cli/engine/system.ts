import type { Command } from 'commander'
import type { EventRow } from '../../platform/model/engine-door.ts'
import { say } from '../say.ts'
import { type Door, openDoor, orWithout } from './door.ts'
import { command, type EngineOptions, interruptible, printJson } from './options.ts'

export function addSystemCommands(engine: Command): void {
  command(engine, 'info', 'the host as the engine sees it').action(async (options: EngineOptions) =>
    printJson(await openDoor(options).ask('GET', '/info')),
  )
  command(engine, 'inspect', 'everything that is known of containers or images, as JSON')
    .argument('<name...>', 'containers or images')
    .action(async (names: string[], options: EngineOptions) => {
      const door = openDoor(options)
      const found: unknown[] = []
      for (const name of names) found.push(await inspect(door, name))
      printJson(found)
    })
  command(engine, 'events', 'what happens, as it happens').action(async (options: EngineOptions) =>
    interruptible(async (signal) => {
      try {
        for await (const event of openDoor(options).lines<EventRow>('GET', '/events', { signal })) {
          const { type, container } = event
          say(
            options.json
              ? JSON.stringify(event)
              : `${new Date().toISOString()} container ${type} ${container.name} (image ${container.image})`,
          )
        }
      } catch (error) {
        if (!signal.aborted) throw error
      }
    }),
  )
}

function inspect(door: Door, name: string): Promise<unknown> {
  return orWithout(door.ask('GET', `/containers/${encodeURIComponent(name)}`), () =>
    door.ask('GET', '/images/inspect', { query: { name } }),
  )
}
