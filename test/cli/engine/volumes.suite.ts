/** Volumes, and a container that has all that one may ask for. */
import { expect, test } from 'vitest'
import { freePort } from '../../support/registry.ts'
import { until } from '../../support/until.ts'
import type { Stand } from './stand.ts'

export function describeVolumes(stand: Stand): void {
  const { engine } = stand

  test('a container has its volume, its folder in memory, its port and its user, and becomes an image', async () => {
    const hostPort = await freePort()
    const script =
      'id -u; touch /no 2>/dev/null || echo read-only; echo kept >> /data/file; echo x > /fast/file; pwd'
    const flags = [
      '-u',
      'app',
      '-w',
      '/tmp',
      '--read-only',
      '--init',
      '--tmpfs',
      '/fast:size=1m',
      '--cap-drop',
      'all',
    ]
    expect(await engine('volume', 'create', '--size', '32m', 'store')).toMatchObject({
      code: 0,
      out: 'store\n',
    })
    const open = ['busybox', 'chmod', '777', '/data']
    expect(await engine('run', '--rm', '-v', 'store:/data', stand.image, ...open)).toMatchObject({ code: 0 })
    const ran = await engine(
      'run',
      '--rm',
      ...flags,
      '-v',
      'store:/data',
      '--entrypoint',
      'sh',
      stand.image,
      '-c',
      script,
    )
    expect(ran).toMatchObject({ code: 0, out: '1000\nread-only\n/tmp\n' })
    const serve = 'mkdir /www; cat /data/file > /www/index.html; httpd -f -p 80 -h /www'
    const publish = `127.0.0.1:${hostPort}:80`
    await engine(
      'run',
      '-d',
      '--name',
      'web',
      '-p',
      publish,
      '-v',
      'store:/data:ro',
      stand.image,
      'sh',
      '-c',
      serve,
    )
    await until('it answers', async () => (await fetch(`http://127.0.0.1:${hostPort}`)).ok)
    expect(await (await fetch(`http://127.0.0.1:${hostPort}`)).text()).toBe('kept\n')
    expect((await engine('volume', 'ls')).out).toMatch(/^store +33.6 MB .* web$/m)
    expect(await engine('volume', 'rm', 'store')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/web/),
    })
    expect(await engine('run', '-v', '/etc:/etc', stand.image)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/volume/),
    })
    const committed = await engine('commit', '-m', 'with a page', 'web', 'paged:1')
    expect(committed).toMatchObject({ code: 0, out: expect.stringMatching(/^sha256:/) })
    expect((await engine('run', '--rm', 'paged:1', 'cat', '/www/index.html')).out).toBe('kept\n')
    await engine('rm', '-f', 'web')
    expect(await engine('volume', 'rm', 'store')).toMatchObject({ code: 0, out: 'store\n' })
    await engine('rmi', 'paged:1')
  })

  test('volumes that nobody mounts are pruned, and only when that was meant', async () => {
    await engine('volume', 'create', 'lonely')
    await engine('run', '-d', '--name', 'user', '-v', 'used:/data', stand.image, 'sleep', '1000')
    const made = await engine('volume', 'create', '-d', 'local', '-o', 'size=16m', '-l', 'tier=db')
    expect(made.out).toMatch(/^[a-z]+-[a-z]+-\d{4}\n$/)
    const name = made.out.trim()
    expect(
      (await engine('volume', 'ls', '-f', 'label=tier=db', '--format', '{{.Name}} {{.Limit}}')).out,
    ).toBe(`${name} 16.8 MB\n`)
    expect((await engine('volume', 'ls', '-q', '-f', 'dangling=false')).out).toBe('used\n')
    expect((await engine('volume', 'inspect', '-f', '{{.sizeBytes}} {{.usedBy}}', name)).out).toBe(
      '16777216 []\n',
    )
    expect((await engine('inspect', '--type', 'volume', '-f', '{{.usedBy}}', 'used')).out).toBe('[user]\n')
    expect(await engine('inspect', 'nothing-at-all')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/nothing here that is called/),
    })
    expect(await engine('volume', 'create', '-o', 'type=nfs')).toMatchObject({ code: 1 })
    expect(await engine('volume', 'rm', '-f', name, 'never-was')).toMatchObject({ code: 0 })
    expect(await engine('volume', 'prune')).toMatchObject({ code: 1, err: expect.stringMatching(/-f/) })
    expect((await engine('volume', 'prune', '-f')).out).toMatch(/^Deleted: lonely\nFreed /)
    expect((await engine('volume', 'ls', '-q')).out).toBe('used\n')
    await engine('rm', '-f', 'user')
    expect(await engine('volume', 'rm', 'used')).toMatchObject({ code: 0 })
  })
}
