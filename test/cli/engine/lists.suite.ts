/** What there is, and what was. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { until } from '../../support/until.ts'
import type { Stand } from './stand.ts'

export function describeLists(stand: Stand): void {
  const { engine } = stand

  test('ps filters and formats, inspect shows one field, create starts nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-env-'))
    writeFileSync(join(folder, 'env'), '# a comment\nA=1\nB=2\n')
    const flags = [
      '--env-file',
      join(folder, 'env'),
      '-e',
      'B=3',
      '-l',
      'tier=web',
      '--restart',
      'on-failure:3',
    ]
    const more = ['--ulimit', 'nofile=99', '--memory-swap', '96m', '-m', '64m', '--cpu-shares', '512']
    const rest = ['--storage-opt', 'size=32m', '--log-opt', 'max-size=1m', '--log-opt', 'max-file=3']
    const check = ['--health-cmd', 'true', '--health-interval', '50ms']
    const run = 'ulimit -n; echo $A $B; sleep 1000'
    expect(
      await engine(
        'create',
        '--name',
        'one',
        ...flags,
        ...more,
        ...rest,
        ...check,
        stand.image,
        'sh',
        '-c',
        run,
      ),
    ).toEqual({ code: 0, out: 'one\n', err: '' })
    expect((await engine('ps', '-q')).out).toBe('')
    const asked =
      '{{.status}} {{.spec.restart}} {{.spec.maxRestarts}} {{.spec.limits.swapBytes}} {{.spec.limits.cpuWeight}}'
    expect(
      (await engine('inspect', '-f', `${asked} {{.diskLimitedBy}} {{json .spec.log}}`, 'one')).out,
    ).toMatch(
      /^created on-failure 3 33554432 50 (own-file-system|project-quota) {"maxBytes":1048576,"files":3}\n$/,
    )
    expect(await engine('start', 'one')).toMatchObject({ code: 0, out: 'one\n' })
    await until('its lines', async () => (await engine('logs', 'one')).out === '99\n1 3\n')
    await until('healthy', async () => (await engine('ps')).out.includes('(healthy)'))
    await engine('run', '-d', '--name', 'two', '--no-healthcheck', stand.image, 'sh', '-c', 'exit 4')
    await engine('wait', 'two')
    const names = async (...args: string[]) => (await engine('ps', '--format', '{{.Names}}', ...args)).out
    expect(await names()).toBe('one\n')
    expect(await names('-a')).toBe('one\ntwo\n')
    expect(await names('-f', 'exited=4')).toBe('two\n')
    expect(await names('-f', 'status=running', '-f', 'status=exited')).toBe('one\ntwo\n')
    expect(await names('-a', '-f', 'label=tier=web')).toBe('one\n')
    expect(await names('-a', '-f', 'name=tw', '-f', 'status=running')).toBe('')
    expect(await names('-n', '1')).toBe('two\n')
    expect((await engine('ps', '--format', 'table {{.Names}}\\t{{.State}}')).out).toBe(
      'CONTAINER   STATE\none         running\n',
    )
    expect(await engine('ps', '-f', 'colour=red')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/KEY=VALUE/),
    })
    expect(await engine('ps', '--format', '{{.Nmaes}}')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/Names/),
    })
    expect(await names('-l')).toBe('two\n')
    expect(await names('-a', '-f', 'before=two')).toBe('one\n')
    expect(await names('-a', '-f', 'since=one')).toBe('two\n')
    expect(await names('-a', '-f', `ancestor=${stand.image}`)).toBe('one\ntwo\n')
    expect(await names('-a', '-f', 'volume=store')).toBe('')
    expect(await names('-a', '-f', 'publish=80')).toBe('')
    expect(await engine('ps', '-f', 'since=nobody')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/no container nobody/),
    })
    const command = 'sh -c ulimit -n; echo $A $B; sleep 1000'
    expect((await engine('ps', '--format', '{{.Command}}')).out).toBe('"sh -c ulimit -n; ec…"\n')
    expect((await engine('ps', '--no-trunc', '--format', '{{.Command}}')).out).toBe(`"${command}"\n`)
    expect((await engine('stats', '-a', '--no-stream', '--format', '{{.Name}} {{.PIDs}}')).out).toMatch(
      /^one [1-9]\d*\ntwo 0\n$/,
    )
    await engine('rm', '-f', 'one', 'two')
    rmSync(folder, { recursive: true })
  })

  test('events tell what was, from a time to a time, of whom one asks for', async () => {
    const since = new Date().toISOString()
    await engine('run', '--rm', '--name', 'eventful', stand.image, 'true')
    await engine('run', '--rm', '--name', 'other', stand.image, 'true')
    const until = new Date().toISOString()
    const { out } = await engine(
      'events',
      '--since',
      since,
      '--until',
      until,
      '-f',
      'container=eventful',
      '--json',
    )
    const rows = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows.map(({ type }) => type)).toEqual(['created', 'started', 'exited', 'removed'])
    expect(rows[0].at >= since && rows[3].at <= until).toBe(true)
    const starts = await engine('events', '--since', since, '--until', until, '-f', 'event=started')
    const asDocker = ['--since', String(Date.parse(since) / 1_000), '--until', until, '-f', 'type=container']
    const died = await engine(
      ...['events', ...asDocker, '-f', 'event=die', '-f', `image=${stand.image}`],
      ...['--format', '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}} {{.type}}'],
    )
    expect(died.out).toBe('die eventful 0 exited\ndie other 0 exited\n')
    expect(starts.out).toMatch(/^\S+Z container started eventful .*\n\S+Z container started other .*\n$/)
  })
}
