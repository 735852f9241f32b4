import { expect, test } from 'vitest'
import type { AppSettingsInput } from '../../platform/model/app-settings.ts'
import { testHostForAll } from '../support/worker.ts'

const host = testHostForAll()

const quick = { intervalMs: 200, startPeriodMs: 4_000, observationMs: 300 }
const serve = 'exec httpd -f -p $PORT -h /www'
/** Serves, but its file is away from the first good answer on for so long. */
const awayFor = (seconds: number) =>
  `httpd -f -p $PORT -h /www & until test -e /tmp/asked; do sleep 0.02; done; rm /www/up; sleep ${seconds}; echo up >/www/up; wait`

const cases: {
  title: string
  script: string
  healthCheck: AppSettingsInput['healthCheck']
  end: 'live' | { code: string; facts: object }
}[] = [
  {
    title: 'a path answers the status that is expected',
    script: serve,
    healthCheck: { path: '/nothing-here', expectedStatus: 404 },
    end: 'live',
  },
  {
    title: 'a path answers another status than the expected one',
    script: serve,
    healthCheck: { path: '/', expectedStatus: 204 },
    end: { code: 'unhealthy', facts: { when: 'first', probe: 'status', status: 200 } },
  },
  {
    title: 'a command succeeds after a while',
    script: `(sleep 1; touch /tmp/ready) & ${serve}`,
    healthCheck: { command: ['/bin/sh', '-c', 'test -e /tmp/ready'] },
    end: 'live',
  },
  {
    title: 'a command fails',
    script: serve,
    healthCheck: { command: ['/bin/sh', '-c', 'exit 5'] },
    end: { code: 'unhealthy', facts: { when: 'first', probe: 'command', exitCode: 5 } },
  },
  {
    title: 'a command does not end',
    script: serve,
    healthCheck: { command: ['/bin/sleep', '1000'], timeoutMs: 500 },
    end: { code: 'unhealthy', facts: { when: 'first', probe: 'timeout', timeoutMs: 500 } },
  },
  {
    title: 'a command succeeds, but nothing listens',
    script: 'exec sleep 1000',
    healthCheck: { command: ['/bin/true'] },
    end: { code: 'not-listening', facts: { loopback: 'none' } },
  },
  {
    title: 'checks fail for a moment, fewer than are allowed',
    script: awayFor(1),
    healthCheck: {
      command: ['/bin/sh', '-c', 'touch /tmp/asked; test -e /www/up'],
      retries: 20,
      observationMs: 1_500,
    },
    end: 'live',
  },
  {
    title: 'checks fail more often than is allowed',
    script: awayFor(1000),
    healthCheck: {
      command: ['/bin/sh', '-c', 'touch /tmp/asked; test -e /www/up'],
      retries: 2,
      observationMs: 3_000,
    },
    end: { code: 'unhealthy', facts: { when: 'later', probe: 'command', exitCode: 1 } },
  },
]

test.each(cases)('$title', async ({ script, healthCheck, end }) => {
  const image = await host.push('checked:1', {
    entrypoint: ['/bin/sh', '-c', script],
    files: { 'www/index.html': 'checked', 'www/up': 'up' },
  })
  const app = await host.makeApp(image, { healthCheck: { ...quick, ...healthCheck } })
  const { id } = await host.deploy(app.id)
  const { failure } = await host.untilStatus(id, end === 'live' ? 'live' : 'failed')
  if (end === 'live') expect(failure).toBeNull()
  else expect(failure).toMatchObject({ step: 'check', ...end })
})
