/** A container in front, behind, and with somebody who types. */
import { expect, test } from 'vitest'
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
    following.child.kill('SIGINT')
    expect(await following.ended).toMatchObject({ code: 0 })
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
}
