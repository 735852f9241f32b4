/** `berth variables`: variables and secrets of an app. `berth env`: those that the apps of an environment share. */
import { readFileSync } from 'node:fs'
import type { ImportVariablesInput, SetVariablesInput } from '../../platform/model/inputs.ts'
import type { Variable } from '../../platform/model/resources.ts'
import type { LoginOptions } from '../client.ts'
import { table } from '../engine/table.ts'
import { CommandError, say } from '../say.ts'
import { openApp, openEnvironment, readInput } from './open.ts'

/** Whose they are. */
export type Owner = 'app' | 'environment'

export interface OwnerOptions extends LoginOptions {
  /** Of a project, by its slug. */
  environment?: string
}

async function open(owner: Owner, name: string, options: OwnerOptions) {
  if (owner === 'app') {
    const { client, app, path } = await openApp(name, options)
    return { client, path, list: `/apps/${app.id}/variables`, next: 'for its next deployment' }
  }
  const { client, environment, path } = await openEnvironment(name, options)
  const list = `/environments/${environment.id}/variables`
  return { client, path, list, next: 'for the next deployment of each app' }
}

export async function listVariables(
  owner: Owner,
  name: string,
  options: OwnerOptions & { json?: boolean },
): Promise<void> {
  const { client, path, list } = await open(owner, name, options)
  const { data } = await client.get<{ data: Variable[] }>(list)
  if (options.json) return say(JSON.stringify(data, null, 2))
  if (data.length === 0)
    return say(owner === 'app' ? `${path} has no variables of its own.` : `The apps of ${path} share none.`)
  say(variableTable(data))
}

/** One line each, whatever is in the value. */
export function variableTable(variables: readonly Variable[]): string {
  return table(
    ['NAME', 'VALUE', 'FILE'],
    variables.map(({ name, value, filePath }) => [
      ...[name, value === null ? '(secret)' : JSON.stringify(value).slice(1, -1)],
      filePath ?? '',
    ]),
  )
}

export async function setVariables(
  owner: Owner,
  name: string,
  given: string[],
  { secret = false, file, ...login }: OwnerOptions & { secret?: boolean; file?: string },
): Promise<void> {
  const set = await valuesOf(given, readInput)
  if (file !== undefined && set.length > 1) throw new CommandError('--file is for one variable at a time.')
  const { client, path, list, next } = await open(owner, name, login)
  const known = await client.get<{ data: Variable[] }>(list)
  const input: SetVariablesInput = {
    set: set.map((each) => {
      const before = known.data.find((variable) => variable.name === each.name)
      // What was a secret, or a file, stays one unless it is said to be otherwise.
      return {
        ...each,
        isSecret: secret || (before?.isSecret ?? false),
        filePath: file ?? before?.filePath ?? null,
      }
    }),
  }
  await client.change('PATCH', list, input)
  say(`${set.map((each) => each.name).join(', ')} of ${path} set, ${next}.`)
}

/** NAME=VALUE; NAME alone for what the environment has; NAME=- for what standard input has, once. */
export async function valuesOf(
  given: readonly string[],
  read: () => Promise<string>,
  environment: Record<string, string | undefined> = process.env,
): Promise<{ name: string; value: string }[]> {
  const found: { name: string; value: string }[] = []
  let isRead = false
  for (const text of given) {
    const at = text.indexOf('=')
    const name = at === -1 ? text : text.slice(0, at)
    let value = at === -1 ? environment[name] : text.slice(at + 1)
    if (value === undefined)
      throw new CommandError(
        `${name} has no value, and the environment has none either: write ${name}=value.`,
      )
    if (at !== -1 && value === '-') {
      if (isRead) throw new CommandError('Standard input can be the value of one variable only.')
      isRead = true
      value = await read()
    }
    found.push({ name, value })
  }
  return found
}

export async function unsetVariables(
  owner: Owner,
  name: string,
  names: string[],
  options: OwnerOptions,
): Promise<void> {
  const { client, path, list, next } = await open(owner, name, options)
  await client.change('PATCH', list, { remove: names })
  say(`${names.join(', ')} of ${path} removed, ${next}.`)
}

export async function exportVariables(owner: Owner, name: string, options: OwnerOptions): Promise<void> {
  const { client, list } = await open(owner, name, options)
  const response = await client.fetch(`${list}/dotenv`, { method: 'GET' })
  process.stdout.write(await response.text())
}

export async function importVariables(
  owner: Owner,
  name: string,
  file: string,
  { secret = false, ...login }: OwnerOptions & { secret?: boolean },
): Promise<void> {
  const input: ImportVariablesInput = {
    text: file === '-' ? await readInput() : readFile(file),
    areSecret: secret,
  }
  const { client, path, list, next } = await open(owner, name, login)
  const { data } = await client.post<{ data: Variable[] }>(`${list}/import`, input)
  say(`${path} has ${data.length} variables now, ${next}.`)
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CommandError(`${file} can't be read: ${(cause as Error).message}`, { cause })
  }
}
