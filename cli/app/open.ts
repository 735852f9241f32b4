import { text } from 'node:stream/consumers'
import type { App } from '../../platform/model/resources.ts'
import { type Client, clientOf, findLogin, type LoginOptions } from '../client.ts'
import { findApp } from '../deploy/find-app.ts'
import { CommandError } from '../say.ts'

export interface ListOptions extends LoginOptions {
  json?: boolean
}

export interface OpenApp {
  client: Client
  app: App
  /** team/project/app */
  path: string
}

/** Signs in and finds the app that is meant. */
export async function openApp(name: string, options: LoginOptions): Promise<OpenApp> {
  const client = clientOf(findLogin(options))
  return { client, ...(await findApp(client, name)) }
}

/** What the API should judge: what is no number is said here, in the option's name. */
export function numberOf(option: string, given: string): number {
  const number = given.trim() === '' ? Number.NaN : Number(given)
  if (!Number.isFinite(number)) throw new CommandError(`--${option} must be a number.`)
  return number
}

const mostInputCharacters = 2_000_000

/** All of standard input, without the line end that `echo` adds. */
export async function readInput(): Promise<string> {
  if (process.stdin.isTTY) throw new CommandError('It is read from standard input: pass it by a pipe.')
  const given = await text(process.stdin)
  if (given.length > mostInputCharacters) throw new CommandError('Standard input is too long.')
  return given.replace(/\r?\n$/, '')
}

/** The one of that name. Throws CommandError naming those that there are. */
export function named<Thing extends { name: string }>(
  what: string,
  things: readonly Thing[],
  name: string,
): Thing {
  const found = things.find((thing) => thing.name === name)
  if (found !== undefined) return found
  const names = things.map((thing) => thing.name)
  throw new CommandError(
    names.length === 0
      ? `The app has no ${what}.`
      : `The app has no ${what} ${name}. It has ${names.slice(0, 20).join(', ')}.`,
  )
}
