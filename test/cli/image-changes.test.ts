import { expect, test } from 'vitest'
import { change } from '../../cli/engine/image-changes.ts'

test.each([
  ['CMD ["a", "b c"]', { command: ['a', 'b c'] }],
  ['cmd echo "a b"', { command: ['/bin/sh', '-c', 'echo "a b"'] }],
  ['ENTRYPOINT []', { entrypoint: [] }],
  ['ENV A=1 B="two words" C=a\\ b D=', { environment: { A: '1', B: 'two words', C: 'a b', D: '' } }],
  ['ENV A="say \\"hi\\"" B=\'$A\'', { environment: { A: 'say "hi"', B: '$A' } }],
  ['ENV OLD two words', { environment: { OLD: 'two words' } }],
  ['LABEL a.b/c="d=e"', { labels: { 'a.b/c': 'd=e' } }],
  ['EXPOSE 80/tcp 443', { exposedPorts: [80, 443] }],
  ['STOPSIGNAL SIGINT', { stopSignal: 'SIGINT' }],
  ['  USER  app:staff ', { user: 'app:staff' }],
  ['WORKDIR /srv/a b', { workingDir: '/srv/a b' }],
])('%s changes what is meant', (text, changes) => {
  expect(change(text)).toEqual(changes)
})

test('several are added up, the last of one kind counts', () => {
  const all = ['ENV A=1', 'ENV B=2', 'ENV A=3', 'EXPOSE 1', 'EXPOSE 2', 'USER a', 'USER b']
  expect(all.reduce((changes, text) => change(text, changes), {})).toEqual({
    ...{ environment: { A: '3', B: '2' }, exposedPorts: [1, 2], user: 'b' },
  })
})

test.each([
  ['RUN true', /CMD, ENTRYPOINT/],
  ['CMD', /CMD, ENTRYPOINT/],
  ['', /CMD, ENTRYPOINT/],
  ['CMD ["a", 1]', /list in JSON/],
  ['CMD [a]', /list in JSON/],
  ['ENV =x', /NAME=VALUE/],
  ['LABEL a', /NAME=VALUE/],
  ['EXPOSE 53/udp', /no TCP port/],
  ['EXPOSE 70000', /no TCP port/],
])('%s is refused, with what it should be', (text, message) => {
  expect(() => change(text)).toThrow(message)
})
