/** A container in front, behind, and with somebody who types. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freePort } from '../../support/registry.ts'
import { until } from '../../support/until.ts'
import type { Stand } from './stand.ts'

export function describeRun(stand: Stand): void {
  const { engine, start, typed } = stand

  test('run pulls what is missing, shows both streams, and ends with the exit code of the container', async () => {
    const script = 'echo out; echo "$COLOUR $(hostname)" >&2; exit 7'
    const ran = await engine('run', '--rm', '-e', 'COLOUR=red', '-h', 'boat', stand.image, 'sh', '-c', script)
    expect(ran).toMatchObject({ code: 7, out: 'out\n' })
    expect(ran.err).toMatch(/is not here: pulling it\n[\s\S]*red boat\n$/)
    expect((await engine('ps', '-a', '-q')).out).toBe('')
    expect(await engine('run', '--name', 'Not Good', stand.image)).toMatchObject({ code: 125, out: '' })
    const missing = await engine('run', `${stand.image}-missing`)
    expect(missing).toMatchObject({ code: 125, out: '' })
    expect(missing.err).toMatch(/has no image/)
  })

  test('a container that was started in the background is listed, read, waited for and removed by name', async () => {
    const script = 'echo one; echo two; trap "exit 3" TERM; while :; do sleep 0.05; done'
    expect(
      await engine('run', '-d', '--name', 'back', '-l', 'a=b', stand.image, 'sh', '-c', script),
    ).toMatchObject({
      code: 0,
      out: 'back\n',
    })
    expect((await engine('ps')).out).toMatch(
      /^back +[0-9a-f]{12} +\d+ seconds? ago +Up \d+ seconds? +operator +10\./m,
    )
    await until('both lines are there', async () => (await engine('logs', 'back')).out === 'one\ntwo\n')
    expect((await engine('logs', '--tail', '1', '-t', 'back')).out).toMatch(/^\d{4}-\S+Z two\n$/)
    expect((await engine('logs', '--since', '1h', 'back')).out).toBe('one\ntwo\n')
    expect((await engine('logs', '--until', '2020-01-01T00:00:00Z', 'back')).out).toBe('')
    const waiting = start('wait', 'back')
    const following = start('logs', '-f', 'back')
    await until('the log is followed', () => following.said.out === 'one\ntwo\n')
    expect(await engine('rm', 'back')).toMatchObject({ code: 1, err: expect.stringMatching(/running|stop/) })
    expect(await engine('stop', '-t', '5', 'back')).toEqual({ code: 0, out: 'back\n', err: '' })
    expect(await waiting.ended).toMatchObject({ code: 0, out: '3\n' })
    expect(await following.ended).toMatchObject({ code: 0, out: 'one\ntwo\n' })
    expect((await engine('ps', '-a')).out).toMatch(/^back .* Exited \(3\) \d+ seconds? ago/m)
    expect((await engine('ps', '-q')).out).toBe('')
    expect(await engine('rm', 'back')).toEqual({ code: 0, out: 'back\n', err: '' })
  })

  test('Ctrl-C in run stops the container with its grace', async () => {
    const script = 'trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.05; done'
    const running = start('run', '--rm', '--name', 'front', stand.image, 'sh', '-c', script)
    await until('it runs', () => running.said.out === 'ready\n')
    running.child.kill('SIGINT')
    expect(await running.ended).toMatchObject({ code: 0, out: 'ready\nbye\n' })
    expect((await engine('ps', '-a', '-q')).out).toBe('')
  })

  test('run -it is a terminal, run -i reads what is piped in, and both end as their program does', async () => {
    const reading = start(
      'run',
      '--rm',
      '-i',
      '-e',
      'COLOUR=red',
      stand.image,
      'sh',
      '-c',
      'read x; echo $x $COLOUR; exit 5',
    )
    reading.child.stdin?.end('piped\n')
    expect(await reading.ended).toMatchObject({ code: 5, out: 'piped red\n' })
    const args = `run --rm -it --name shell -u app -w /tmp ${stand.image} sh`
    const shown = await typed(args, async (type, see) => {
      type('test -t 0 && echo "is a terminal $(id -u) $PWD"\r')
      await see('is a terminal 1000 /tmp')
      type('exit 7\r')
    })
    expect(shown.code).toBe(7)
    expect((await engine('ps', '-aq')).out).toBe('')
    expect(await engine('run', '-d', '-i', stand.image, 'sh')).toMatchObject({
      code: 125,
      err: expect.stringMatching(/-d/),
    })
  })

  test('what is run with -d --rm goes when it has ended, also while the worker was away', async () => {
    expect(await engine('run', '-d', '--rm', '--name', 'brief', stand.image, 'true')).toMatchObject({
      code: 0,
    })
    const isGone = async () => (await engine('ps', '-aq')).out === ''
    await until('it is removed', isGone)
    await engine('run', '-d', '--rm', '--name', 'away', stand.image, 'sleep', '1000')
    // That it ends to be started again is no end.
    expect(await engine('restart', '-t', '0', 'away')).toMatchObject({ code: 0 })
    const [{ pid }] = JSON.parse((await engine('inspect', 'away')).out)
    await stand.host.stopWorker('SIGKILL')
    process.kill(pid, 'SIGKILL')
    await stand.host.startWorker()
    await until('it is removed', isGone)
    const both = await engine('run', '-d', '--rm', '--restart', 'always', stand.image, 'true')
    expect(both).toMatchObject({ code: 125, err: expect.stringMatching(/leave one away/) })
  })

  test('who follows a log, starts with -a or attaches is done when the container is', async () => {
    const script = 'echo first; trap "echo last; exit 4" TERM; while :; do sleep 0.05; done'
    await engine('create', '--name', 'watched', stand.image, 'sh', '-c', script)
    const starting = start('start', '-a', 'watched')
    await until('it runs', () => starting.said.out === 'first\n')
    const following = start('logs', '-f', 'watched')
    await until('it is followed', () => following.said.out === 'first\n')
    const attaching = start('attach', 'watched')
    const waiting = start('wait', 'watched')
    expect(await engine('stop', '--timeout', '5', 'watched')).toMatchObject({ code: 0 })
    expect(await starting.ended).toMatchObject({ code: 4, out: 'first\nlast\n' })
    expect(await following.ended).toMatchObject({ code: 0, out: 'first\nlast\n' })
    expect(await attaching.ended).toMatchObject({ code: 4 })
    expect(await waiting.ended).toMatchObject({ code: 0, out: '4\n' })
    expect(await engine('logs', '-f', '--tail', '1', 'watched')).toMatchObject({ code: 0, out: 'last\n' })
    await engine('rm', '-v', 'watched')
  })

  test('flags that Docker has are taken, or refused by a reason before anything is made', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-run-'))
    try {
      writeFileSync(join(folder, 'labels'), '# of the team\ntier=web\n')
      const [cidfile, hostPort] = [join(folder, 'cid'), await freePort()]
      const flags = [
        '--cidfile',
        cidfile,
        '--label-file',
        join(folder, 'labels'),
        '-l',
        'bare',
        '--pull',
        'always',
      ]
      const mounts = [
        '--mount',
        'type=volume,src=kept,dst=/data,readonly',
        '--mount',
        'type=tmpfs,target=/fast',
      ]
      const rest = ['-q', '--net', 'bridge', '-p', `127.0.0.1:${hostPort}:80`, '-e', 'BERTH_NO_SUCH']
      const script =
        'touch /data/x 2>/dev/null || echo read-only; env | grep NO_SUCH; touch /fast/x && sleep 1000'
      const args = [...flags, ...mounts, ...rest, '--name', 'flagged', stand.image, 'sh', '-c', script]
      expect(await engine('run', '-d', ...args)).toEqual({ code: 0, out: 'flagged\n', err: '' })
      expect(readFileSync(cidfile, 'utf8')).toBe('flagged')
      await until('it says so', async () => (await engine('logs', 'flagged')).out === 'read-only\n')
      const [row] = JSON.parse((await engine('ps', '--json')).out)
      expect(row).toMatchObject({ labels: { tier: 'web', bare: '' }, network: 'operator', volumes: ['kept'] })
      expect((await engine('port', 'flagged')).out).toBe(`80/tcp -> 127.0.0.1:${hostPort}\n`)
      expect((await engine('port', 'flagged', '80')).out).toBe(`127.0.0.1:${hostPort}\n`)
      expect(await engine('port', 'flagged', '81')).toMatchObject({
        code: 1,
        err: expect.stringMatching(/81\/tcp/),
      })
      await engine('update', '--restart', 'unless-stopped', '--cpu-shares', '512', 'flagged')
      expect(
        (await engine('inspect', '-f', '{{.spec.restart}} {{.spec.limits.cpuWeight}}', 'flagged')).out,
      ).toBe('always 50\n')
      await engine('rm', '-f', 'flagged')
      await engine('volume', 'rm', 'kept')
      const refused = async (...more: string[]) => {
        const said = await engine('run', ...more, stand.image, 'true')
        expect(said.code, more.join(' ')).toBeGreaterThan(0)
        return said.err
      }
      expect(await refused('--cidfile', cidfile)).toMatch(/already/)
      expect(await refused('--privileged')).toMatch(/--privileged: There is no privileged mode/)
      expect(await refused('--cap-add', 'SYS_ADMIN')).toMatch(/--cap-drop/)
      expect(await refused('-P')).toMatch(/-p HOST_PORT/)
      expect(await refused('--net', 'host')).toMatch(/host’s own network/)
      expect(await refused('--network', 'none')).toMatch(/network create --internal/)
      expect(await refused('--mount', 'type=bind,source=/etc,target=/x')).toMatch(/name a volume/)
      expect(await refused('--mount', 'type=volume,source=x,target=/x,colour=red')).toMatch(/no colour/)
      const missing = await engine('run', '--pull', 'never', `${stand.image}-missing`)
      expect(missing).toMatchObject({ code: 125, err: expect.stringMatching(/is not here\./) })
      expect((await engine('ps', '-aq')).out).toBe('')
      expect((await engine('network', 'ls', '-q')).out).not.toMatch(/^(host|none|bridge)$/m)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}
