/** `berth variables`: variables and secrets of an app. */
import { readFileSync } from 'node:fs'
import type { ImportVariablesInput, SetVariablesInput } from '../../platform/model/inputs.ts'
import type { Variable } from '../../platform/model/resources.ts'
import type { LoginOptions } from '../client.ts'
import { table } from '../engine/table.ts'
import { CommandError, say } from '../say.ts'
import { type ListOptions, openApp, readInput } from './open.ts'

export async function listVariables(name: string, options: ListOptions): Promise<void> {
  const { client, app, path } = await openApp(name, options)
  const { data } = await client.get<{ data: Variable[] }>(`/apps/${app.id}/variables`)
  if (options.json) return say(JSON.stringify(data, null, 2))
  if (data.length === 0) return say(`${path} has no variables of its own.`)
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
  name: string,
  given: string[],
  { secret = false, file, ...login }: LoginOptions & { secret?: boolean; file?: string },
): Promise<void> {
  const set = await valuesOf(given, readInput)
  if (file !== undefined && set.length > 1) throw new CommandError('--file is for one variable at a time.')
  const { client, app, path } = await openApp(name, login)
  const known = await client.get<{ data: Variable[] }>(`/apps/${app.id}/variables`)
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
  await client.change('PATCH', `/apps/${app.id}/variables`, input)
  say(`${set.map((each) => each.name).join(', ')} of ${path} set, for its next deployment.`)
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

export async function unsetVariables(name: string, names: string[], options: LoginOptions): Promise<void> {
  const { client, app, path } = await openApp(name, options)
  await client.change('PATCH', `/apps/${app.id}/variables`, { remove: names })
  say(`${names.join(', ')} of ${path} removed, for its next deployment.`)
}

export async function exportVariables(name: string, options: LoginOptions): Promise<void> {
  const { client, app } = await openApp(name, options)
  const response = await client.fetch(`/apps/${app.id}/variables/dotenv`, { method: 'GET' })
  process.stdout.write(await response.text())
}

export async function importVariables(
  name: string,
  file: string,
  { secret = false, ...login }: LoginOptions & { secret?: boolean },
): Promise<void> {
  const input: ImportVariablesInput = {
    text: file === '-' ? await readInput() : readFile(file),
    areSecret: secret,
  }
  const { client, app, path } = await openApp(name, login)
  const { data } = await client.post<{ data: Variable[] }>(`/apps/${app.id}/variables/import`, input)
  say(`${path} has ${data.length} variables now, for its next deployment.`)
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CommandError(`${file} can't be read: ${(cause as Error).message}`, { cause })
  }
}
