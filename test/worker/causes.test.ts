import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { hasFacts } from '../../platform/model/facts.ts'
import { type Failure, failureFacts } from '../../platform/model/failure.ts'
import type { Deployment } from '../../platform/model/resources.ts'
import { setVariables } from '../../platform/variables.ts'
import type { ImageSpec } from '../support/images.ts'
import { operator } from '../support/platform.ts'
import { quickSettings, startTestHost, type TestHost } from '../support/worker.ts'

/** Each failure provoked for real. Those of pulling and of a first batch that serves on are in deploy.test.ts. */
interface Cause {
  name: string
  title: string
  image: ImageSpec
  settings?: Parameters<TestHost['makeApp']>[1]
  variables?: Record<string, string>
  failure: Partial<Record<keyof Failure, unknown>>
  /** What its sentence says beside all else. */
  says: string
}

const sh = (script: string) => ['/bin/sh', '-c', script]
const soon = { healthCheck: { ...quickSettings.healthCheck, startPeriodMs: 2_000 } }
const nothingSet = 'echo starting; echo "Error: DATABASE_URL is not set" >&2; exit 1'

/** The head of a program for a processor that no host of ours has. Source: elf(5). */
function foreignProgram(): Buffer {
  const head = Buffer.alloc(120)
  head.write('\u007fELF\u0002\u0001\u0001', 'latin1')
  head.writeUInt16LE(2, 16)
  head.writeUInt16LE(0x7f7f, 18)
  return head
}

const causes: Cause[] = [
  {
    name: 'other-port',
    title: 'an app that listens on another port than its settings say',
    image: { entrypoint: sh('exec httpd -f -p 8081 -h /www') },
    settings: { ...soon, port: 3000 },
    failure: { step: 'check', code: 'wrong-port', facts: { port: 3000, seconds: 2, listening: '8081' } },
    says: 'listens on port 8081, not on port 3000',
  },
  {
    name: 'inside-only',
    title: 'an app that listens on 127.0.0.1 alone',
    image: { entrypoint: sh('exec httpd -f -p 127.0.0.1:8082 -h /www') },
    settings: soon,
    failure: { step: 'check', code: 'not-listening', facts: { port: 'any', seconds: 2, loopback: '8082' } },
    says: 'It listens on port 8082 of 127.0.0.1 alone',
  },
  {
    name: 'no-variable',
    title: 'an app that ends because a variable is missing',
    image: { entrypoint: sh(nothingSet) },
    failure: {
      code: 'missing-variable',
      facts: { how: 'code', exitCode: 1, variable: 'DATABASE_URL', line: 'Error: DATABASE_URL is not set' },
      exitCode: 1,
      lastLogLines: ['starting', 'Error: DATABASE_URL is not set'],
    },
    says: 'it seems to need the variable DATABASE_URL',
  },
  {
    name: 'has-variable',
    title: 'an app that says so of a variable that it has: that is not what is missing',
    image: { entrypoint: sh(nothingSet) },
    variables: { DATABASE_URL: 'postgres://somewhere' },
    failure: { code: 'exited', exitCode: 1 },
    says: 'exited with code 1',
  },
  {
    name: 'release-variable',
    title: 'a release command that needs a variable',
    image: { entrypoint: sh('exec sleep 1000') },
    settings: { release: { command: sh('set -u; echo migrating; echo $REDIS_URL') } },
    failure: {
      step: 'release',
      code: 'release-failed',
      facts: expect.objectContaining({ how: 'code', variable: 'REDIS_URL' }),
      lastLogLines: ['migrating', expect.stringContaining('REDIS_URL: parameter not set')],
    },
    says: 'It seems to need the variable REDIS_URL',
  },
  {
    name: 'other-platform',
    title: 'an image without one for this host',
    image: { entrypoint: sh('exec sleep 1000'), platform: { os: 'linux', architecture: 's390x' } },
    failure: { step: 'pull', code: 'wrong-platform', exitCode: null },
    says: 'only for linux/s390x',
  },
  {
    name: 'other-platform-alone',
    title:
      'an image that no index offers and that says itself that it is for another host: it is never started',
    image: { entrypoint: sh('exec httpd -f -p $PORT -h /www'), architecture: 's390x' },
    failure: { step: 'pull', code: 'wrong-platform', exitCode: null },
    says: 'only for linux/s390x',
  },
  {
    name: 'other-program',
    title: 'an image that says it is for this host, with a program that is not',
    image: { entrypoint: ['/app'], files: { app: foreignProgram() } },
    failure: { code: 'wrong-platform' },
    says: 'made for another processor',
  },
  {
    name: 'no-command',
    title: 'a command that is not there',
    image: { entrypoint: ['/no/such/program'] },
    failure: {
      step: 'start',
      code: 'command-not-found',
      facts: expect.objectContaining({ command: '/no/such/program' }),
    },
    says: 'The command /no/such/program was not found in the image',
  },
  {
    name: 'no-command-inside',
    title: 'a command that a shell does not find',
    image: { entrypoint: sh('gunicorn app:app') },
    failure: {
      code: 'command-not-found',
      exitCode: 127,
      facts: expect.objectContaining({ command: 'gunicorn' }),
    },
    says: 'The command gunicorn was not found in the image',
  },
  {
    name: 'no-interpreter',
    title: 'a script whose interpreter is not there',
    image: { entrypoint: ['/start'], files: { start: '#!/bin/bash\nexec sleep 1000\n' } },
    failure: { code: 'command-not-found', facts: expect.objectContaining({ command: '/start' }) },
    says: 'a script may name an interpreter',
  },
  {
    name: 'greedy',
    title: 'an app that needs more memory than it may have',
    image: { entrypoint: sh('echo filling; tail -f /dev/zero') },
    failure: {
      code: 'out-of-memory',
      exitCode: 137,
      signal: 'SIGKILL',
      oomKilled: true,
      facts: { limitBytes: 64 * 2 ** 20, peakBytes: expect.any(Number) },
      lastLogLines: ['filling'],
    },
    says: 'its limit of 64 MiB (6',
  },
  {
    name: 'signal',
    title: 'an app that a signal ends',
    image: { entrypoint: sh("sh -c 'kill -SEGV $$'; exit $?") },
    failure: {
      code: 'exited',
      exitCode: 139,
      signal: 'SIGSEGV',
      facts: { how: 'signal', signal: 'SIGSEGV' },
    },
    says: 'was ended by SIGSEGV',
  },
  {
    name: 'silent',
    title: 'an app that takes connections and does not answer in time',
    image: {
      entrypoint: sh('exec httpd -f -p $PORT -h /www'),
      files: { 'www/cgi-bin/slow': '#!/bin/sh\nsleep 1000\n' },
    },
    settings: { healthCheck: { ...soon.healthCheck, path: '/cgi-bin/slow', timeoutMs: 300 } },
    failure: {
      step: 'check',
      code: 'unhealthy',
      facts: expect.objectContaining({ when: 'first', probe: 'timeout', timeoutMs: 300 }),
    },
    says: 'no answer within 300 ms',
  },
]

let host: TestHost
const ended = new Map<string, Promise<Deployment>>()

/** All at once: they wait more than they work. */
beforeAll(async () => {
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  await host.startWorker()
  for (const { name, image, settings, variables = {} } of causes) {
    const app = await host.makeApp(await host.push(name, image), settings)
    const set = Object.entries(variables).map(([key, value]) => ({ name: key, value, isSecret: false }))
    await setVariables(host.berth.platform, operator, { appId: app.id }, { set })
    const { id } = await host.deploy(app.id)
    const end = host.untilStatus(id, 'failed')
    end.catch(() => undefined)
    ended.set(name, end)
  }
})

afterAll(async () => {
  await host?.close()
})

test.each(causes)('$title', async ({ name, failure, says }) => {
  const found = (await ended.get(name))?.failure
  expect(found).toMatchObject(failure)
  expect(found?.message).toContain(says)
  expect(found?.message).toMatch(/\.$/)
  expect(hasFacts(found?.facts ?? {}, failureFacts[found?.code ?? 'internal'])).toBe(true)
})
