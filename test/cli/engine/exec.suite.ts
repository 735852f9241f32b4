/** One more process in a container. */
import { expect, test } from 'vitest'
import { until } from '../../support/until.ts'
import type { Stand } from './stand.ts'

export function describeExec(stand: Stand): void {
  const { engine, start, typed } = stand

  test('one more process: its streams, its exit code, its user, and a terminal', async () => {
    await engine('run', '-d', '--name', 'shell', stand.image, 'sleep', '1000')
    expect(await engine('exec', 'shell', 'sh', '-c', 'echo out; echo err >&2; exit 9')).toEqual({
      code: 9,
      out: 'out\n',
      err: 'err\n',
    })
    const args = [
      '-u',
      'app',
      '-w',
      '/tmp',
      '-e',
      'COLOUR=red',
      'shell',
      'sh',
      '-c',
      'id -u; echo $PWD $COLOUR',
    ]
    expect(await engine('exec', ...args)).toMatchObject({ code: 0, out: '1000\n/tmp red\n' })
    const reading = start('exec', '-i', 'shell', 'cat')
    reading.child.stdin?.end('x'.repeat(300_000))
    const read = await reading.ended
    expect([read.code, read.out.length]).toEqual([0, 300_000])
    expect(
      await engine('exec', '-d', 'shell', 'sh', '-c', 'yes | busybox head -c 200000; exec sleep 888'),
    ).toEqual({
      code: 0,
      out: '',
      err: '',
    })
    await until('it goes on', async () => (await engine('top', 'shell')).out.includes('sleep 888'))
    for (const wrong of [
      ['-d', 'shell', '/no/such'],
      ['-d', '-i', 'shell', 'cat'],
    ])
      expect(await engine('exec', ...wrong)).toMatchObject({ code: 125, out: '' })
    expect(await engine('exec', 'shell', '/no/such')).toMatchObject({ code: 125, out: '' })
    expect(await engine('exec', 'nobody', 'true')).toMatchObject({
      code: 125,
      err: expect.stringMatching(/nobody/),
    })
    const script = 'test -t 0 && echo is a terminal; read x; echo got $x'
    const { code, shown } = await typed(`exec -it shell sh -c '${script}'`, async (type, see) => {
      await see('is a terminal')
      type('hello\r')
    })
    expect([code, shown]).toEqual([0, expect.stringContaining('got hello')])
    const hanging = start('exec', 'shell', 'sleep', '777')
    const runs777 = async () => (await engine('top', 'shell')).out.includes('sleep 777')
    await until('it runs', runs777)
    hanging.child.kill('SIGKILL')
    await until('it ends with whoever started it', async () => !(await runs777()))
    await engine('rm', '-f', 'shell')
  })
}
