/** `berth processes`: what runs beside `web` from the same image. */
import type { ProcessSettingsInput } from '../../platform/model/app-settings.ts'
import { processesOf } from '../../platform/model/processes.ts'
import type { App } from '../../platform/model/resources.ts'
import type { LoginOptions } from '../client.ts'
import { bytes, table } from '../engine/table.ts'
import { say } from '../say.ts'
import { type ListOptions, numberOf, openApp } from './open.ts'

export interface ProcessOptions extends LoginOptions {
  entrypoint?: string[]
  replicas?: string
  memory?: string
  cpus?: string
  grace?: string
}

export async function listProcesses(name: string, options: ListOptions): Promise<void> {
  const { app } = await openApp(name, options)
  if (options.json) return say(JSON.stringify(processesOf(app.settings), null, 2))
  say(processTable(app))
}

/** As the next deployment has them, and how many of each run now. */
export function processTable({ settings, containers, liveDeploymentId }: App): string {
  return table(
    ['NAME', 'REPLICAS', 'RUNNING', 'MEMORY', 'CPUS', 'COMMAND'],
    processesOf(settings).map(({ name, replicas, limits }) => {
      const own = settings.processes[name]
      const command =
        own === undefined ? (settings.command ?? []) : [...(own.entrypoint ?? []), ...own.command]
      const running = containers.filter(
        ({ process, state, deploymentId }) =>
          process === name && state === 'running' && deploymentId === liveDeploymentId,
      )
      return [
        ...[name, String(replicas), String(running.length), bytes(limits.memoryBytes)],
        ...[String(limits.cpuMillis / 1_000), command.join(' ')],
      ]
    }),
  )
}

export async function setProcess(
  name: string,
  process: string,
  argv: string[],
  options: ProcessOptions,
): Promise<void> {
  const input = processOf(argv, options)
  const { client, app, path } = await openApp(name, options)
  await client.change<App>('PUT', `/apps/${app.id}/processes/${encodeURIComponent(process)}`, input)
  say(`${path} runs ${process}, from its next deployment on.`)
}

/** What the API is asked for. */
export function processOf(
  argv: string[],
  { entrypoint, replicas, memory, cpus, grace }: ProcessOptions,
): ProcessSettingsInput {
  const limits = {
    ...(memory === undefined ? {} : { memoryBytes: Math.round(numberOf('memory', memory) * 2 ** 20) }),
    ...(cpus === undefined ? {} : { cpuMillis: Math.round(numberOf('cpus', cpus) * 1_000) }),
  }
  return {
    command: argv[0] === '--' ? argv.slice(1) : argv,
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(replicas === undefined ? {} : { replicas: numberOf('replicas', replicas) }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(grace === undefined ? {} : { stopGraceMs: Math.round(numberOf('grace', grace) * 1_000) }),
  }
}

export async function removeProcess(name: string, process: string, options: LoginOptions): Promise<void> {
  const { client, app, path } = await openApp(name, options)
  await client.change('DELETE', `/apps/${app.id}/processes/${encodeURIComponent(process)}`)
  say(`${path} is without ${process}, from its next deployment on.`)
}
