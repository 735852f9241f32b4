import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { eventStream } from '../../../app/_server/event-stream.ts'
import { createDeployment } from '../../../platform/deployments.ts'
import type { Entry } from '../../../platform/event-log.ts'
import type { App, Team } from '../../../platform/model/resources.ts'
import { showLines } from '../../support/log-lines.ts'
import { operator } from '../../support/platform.ts'
import { type ApiUnderTest, openApi } from './client.ts'

let berth: ApiUnderTest
let team: Team
let app: App
let token: string

beforeAll(async () => {
  berth = await openApi()
  team = await berth.makeTeam('Acme')
  app = await berth.makeApp(team.id)
  token = (await berth.member(team.id, 'viewer')).token
})
afterAll(() => berth?.close())

interface Seen {
  id: string
  data: { type?: string; text?: string; status?: string }
}

/** A client that reads as browsers do. */
function reader(response: Response) {
  if (response.body === null) throw new Error('no body')
  const chunks = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  return {
    comments: [] as string[],
    /** The next `count` events. */
    async take(count: number): Promise<Seen[]> {
      const events: Seen[] = []
      while (events.length < count) {
        const end = text.indexOf('\n\n')
        if (end < 0) {
          const { value, done } = await chunks.read()
          if (done) throw new Error(`the stream ended after ${events.length} events`)
          text += value
          continue
        }
        const lines = text.slice(0, end).split('\n')
        text = text.slice(end + 2)
        const field = (name: string) => lines.find((line) => line.startsWith(name))?.slice(name.length)
        const [id, data, comment] = [field('id: '), field('data: '), field(': ')]
        if (comment !== undefined) this.comments.push(comment)
        if (id !== undefined && data !== undefined) events.push({ id, data: JSON.parse(data) })
      }
      return events
    },
    leave: () => chunks.cancel(),
  }
}

async function open(path: string, headers: Record<string, string> = {}) {
  return berth.fetch(path, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...headers },
  })
}

const log = (...texts: string[]) => showLines(berth.platform, app.id, texts)

test('a log goes on after Last-Event-ID, in the header or the address, with nothing lost or repeated', async () => {
  await log('one', 'two', 'three')
  const response = await open(`/apps/${app.id}/logs`)
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  expect(response.headers.get('cache-control')).toContain('no-transform')
  const first = reader(response)
  const seen = await first.take(2)
  expect(seen.map(({ data }) => data.text)).toEqual(['one', 'two'])
  await first.leave()
  await log('four')
  const last = seen.at(-1)?.id ?? ''
  for (const again of [
    await open(`/apps/${app.id}/logs`, { 'last-event-id': last }),
    await open(`/apps/${app.id}/logs?lastEventId=${last}`),
  ]) {
    const client = reader(again)
    expect((await client.take(2)).map(({ data }) => data.text)).toEqual(['three', 'four'])
    await client.leave()
  }
  const tail = reader(await open(`/apps/${app.id}/logs?follow=true&tail=1`, { accept: '*/*' }))
  expect((await tail.take(1))[0]?.data.text).toBe('four')
  await log('five')
  expect((await tail.take(1))[0]?.data.text).toBe('five')
  await tail.leave()
})

test('a deployment is followed from its beginning, a team from now on', async () => {
  const before = await createDeployment(berth.platform, operator, app.id)
  const ofTeam = reader(await open(`/teams/${team.slug}/events`))
  // Its first read says where “now” is; only what comes later is told.
  const read = ofTeam.take(1)
  await vi.waitFor(() => expect(ofTeam.comments).toContain('connected'), 30_000)
  const ofDeployment = reader(await open(`/deployments/${before.id}/events`))
  expect((await ofDeployment.take(1))[0]?.data).toMatchObject({ type: 'status', status: 'queued' })
  let after = before
  await vi.waitFor(async () => {
    after = await createDeployment(berth.platform, operator, app.id)
    const event = await Promise.race([read, new Promise<null>((resolve) => setTimeout(resolve, 500, null))])
    expect(event).not.toBeNull()
  }, 60_000)
  expect(await ofDeployment.take(1)).toMatchObject([{ data: { type: 'status', status: 'superseded' } }])
  expect(after.number).toBeGreaterThan(before.number)
  await Promise.all([ofTeam.leave(), ofDeployment.leave()])
})

test('what is wrong is a problem and not a broken stream', async () => {
  const wrong = await open(`/apps/${app.id}/logs`, { 'last-event-id': 'yesterday' })
  expect([wrong.status, wrong.headers.get('content-type')]).toEqual([400, 'application/problem+json'])
  const nothing = await open('/deployments/dep_nothing/events')
  expect(nothing.status).toBe(404)
})

test('a silent stream says that it lives, and its source ends when the client leaves', async () => {
  let ended = false
  async function* silence(signal: AbortSignal): AsyncGenerator<Entry<unknown>> {
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    ended = true
  }
  const response = await eventStream({
    signal: new AbortController().signal,
    open: async (signal) => silence(signal),
    heartbeatMs: 5,
    onError: () => {},
  })
  const chunks = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  expect((await chunks?.read())?.value).toBe(': connected\nretry: 2000\n\n')
  expect((await chunks?.read())?.value).toBe(': still here\n\n')
  await chunks?.cancel()
  await vi.waitFor(() => expect(ended).toBe(true), 30_000)
})

test('a client that leaves is no error', async () => {
  const ended = Promise.withResolvers<void>()
  async function* silence(signal: AbortSignal): AsyncGenerator<Entry<unknown>> {
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    ended.resolve()
  }
  const errors: unknown[] = []
  const response = await eventStream({
    signal: new AbortController().signal,
    open: async (signal) => silence(signal),
    onError: (error) => errors.push(error),
  })
  const chunks = response.body?.getReader()
  await chunks?.read()
  await chunks?.cancel()
  await ended.promise
  await new Promise(setImmediate)
  expect(errors).toEqual([])
})

test('a client that does not read holds its source up instead of filling memory', async () => {
  let given = 0
  async function* flood(): AsyncGenerator<Entry<unknown>> {
    for (;;) yield { id: `${++given}-0`, event: 'x'.repeat(1_000) }
  }
  const response = await eventStream({
    signal: new AbortController().signal,
    open: async () => flood(),
    onError: () => {},
  })
  let before = -1
  await vi.waitFor(
    () => {
      const still = given === before
      before = given
      expect(still).toBe(true)
    },
    { timeout: 30_000, interval: 200 },
  )
  expect(given).toBeLessThan(1_000)
  await response.body?.cancel()
})
