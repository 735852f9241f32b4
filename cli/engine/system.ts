import type { Command } from 'commander'
import type { EventRow } from '../../platform/model/engine-door.ts'
import { say } from '../say.ts'
import { type Door, openDoor, orWithout } from './door.ts'
import { type Filter, filter, formatted, hasLabel, passes } from './format.ts'
import { command, type EngineOptions, interruptible, moment, printJson } from './options.ts'
import { short } from './table.ts'

export function addSystemCommands(engine: Command): void {
  command(engine, 'info', 'the host as the engine sees it').action(async (options: EngineOptions) =>
    printJson(await openDoor(options).ask('GET', '/info')),
  )
  command(engine, 'inspect', 'everything that is known of containers or images, as JSON')
    .argument('<name...>', 'containers or images')
    .option('-f, --format <template>', 'such as {{.status}} or {{.spec.limits.memoryBytes}}')
    .action(async (names: string[], options: EngineOptions & { format?: string }) => {
      const door = openDoor(options)
      const found: object[] = []
      for (const name of names) found.push(await inspect(door, name))
      if (options.format === undefined) return printJson(found)
      for (const each of found) say(formatted(options.format, each))
    })
  command(engine, 'events', 'what happens, as it happens')
    .option('--since <time>', 'also what happened since, such as 15m or 2026-01-31T12:00:00Z', moment)
    .option('--until <time>', 'end then', moment)
    .option('-f, --filter <key=value>', `only of this ${eventKeys.join(', ')}`, filter(eventKeys))
    .action(showEvents)
}

const eventKeys = ['container', 'event', 'image', 'label'] as const

async function showEvents(
  options: EngineOptions & { since?: string; until?: string; filter?: Filter[] },
): Promise<void> {
  const { since, until, filter: filters = [] } = options
  await interruptible(async (signal) => {
    try {
      const query = { since, until }
      for await (const event of openDoor(options).lines<EventRow>('GET', '/events', { query, signal })) {
        const { type, at, container } = event
        if (!passes(filters, (each) => isOf(each, event))) continue
        say(
          options.json
            ? JSON.stringify(event)
            : `${at} container ${type} ${container.name} (image ${container.image})`,
        )
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  })
}

function isOf({ key, value }: Filter, { type, container }: EventRow): boolean {
  if (key === 'container') return container.name === value || container.id === value
  if (key === 'image') return short(container.image).startsWith(short(value))
  if (key === 'label') return hasLabel(container.labels, value)
  return type === value
}

function inspect(door: Door, name: string): Promise<object> {
  return orWithout(door.ask<object>('GET', `/containers/${encodeURIComponent(name)}`), () =>
    door.ask<object>('GET', '/images/inspect', { query: { name } }),
  )
}
