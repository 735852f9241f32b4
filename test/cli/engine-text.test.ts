/** What `berth engine` shows and how it reads what is typed, without an engine. */
import { expect, test } from 'vitest'
import { readPruneFilters } from '../../cli/engine/disk.ts'
import { familiarContainer, familiarImage } from '../../cli/engine/familiar.ts'
import { type Filter, filter, hasLabel, passes } from '../../cli/engine/filter.ts'
import { fits, readFilters } from '../../cli/engine/image-list.ts'
import { type Line, summary } from '../../cli/engine/layer-display.ts'
import { shortened } from '../../cli/engine/longer-names.ts'
import { duration, moment, pair, variable } from '../../cli/engine/options.ts'
import { age, bytes, table } from '../../cli/engine/table.ts'
import { template } from '../../cli/engine/template.ts'

test('sizes, ages and tables read well', () => {
  expect([0, 999, 1_000, 1_100_000, 198_000_000, 999_600_000].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '1 kB',
    '1.1 MB',
    '198 MB',
    '1 GB',
  ])
  const now = Date.parse('2026-01-31T00:00:00Z')
  expect(
    ['2026-01-30T23:59:59Z', '2026-01-30T23:00:00Z', '2026-01-10T00:00:00Z', '2020-01-01T00:00:00Z'].map(
      (at) => age(at, now),
    ),
  ).toEqual(['1 second', '1 hour', '3 weeks', '6 years'])
  expect(table(['A', 'B'], [['名字', 'x']])).toBe('A      B\n名字   x')
})

test.each([
  ['docker.io/library/nginx:1', 'nginx', true],
  ['docker.io/library/nginx:1', 'nginx:1', true],
  ['docker.io/library/nginx:1', 'nginx:2', false],
  ['docker.io/library/nginx:1', 'docker.io/library/nginx', true],
  ['docker.io/acme/shop:1', 'acme/*', true],
  ['docker.io/acme/shop:1', 'acme', false],
  ['docker.io/acme/shop:1', '*', false],
  ['localhost:7080/acme/shop:1', 'localhost:7080/*/shop', true],
  ['localhost:7080/acme/shop:1', 'localhost:7080/acme/sho.', false],
])('whether %s is listed for %s', (reference, pattern, isListed) => {
  expect(fits(reference, pattern)).toBe(isListed)
})

test('of filters all must hold, and of patterns one', () => {
  const row = {
    digest: 'sha256:1',
    references: ['docker.io/library/nginx:1'],
    sizeBytes: 1,
    createdAt: null,
    labels: { tier: 'web', empty: '' },
  }
  const holds = (...filters: string[]) => readFilters(filters)(row)
  expect(holds()).toBe(true)
  expect(holds('dangling=false', 'label=tier', 'label=tier=web', 'label=empty=')).toBe(true)
  expect(holds('dangling=true')).toBe(false)
  expect(holds('label=tier=db')).toBe(false)
  expect(holds('label=toString')).toBe(false)
  expect(holds('reference=redis', 'reference=nginx')).toBe(true)
  expect(holds('reference=redis')).toBe(false)
  for (const wrong of ['dangling=maybe', 'size=1', 'label=', 'x', 'before=', 'until=soon'])
    expect(() => readFilters([wrong])).toThrow('It must be')
})

test('of several values of one filter any will do, of several filters each must hold', () => {
  const read = filter(['status', 'label'])
  const given = ['status=running', 'status=paused', 'label=tier=web'].reduce<Filter[]>(
    (all, text) => read(text, all),
    [],
  )
  expect(given.at(-1)).toEqual({ key: 'label', value: 'tier=web' })
  const listed = (status: string, labels: Record<string, string>) =>
    passes(given, ({ key, value }) => (key === 'status' ? status === value : hasLabel(labels, value)))
  expect(listed('running', { tier: 'web' })).toBe(true)
  expect(listed('paused', { tier: 'web' })).toBe(true)
  expect(listed('exited', { tier: 'web' })).toBe(false)
  expect(listed('running', { tier: 'db' })).toBe(false)
  expect(hasLabel({}, 'toString')).toBe(false)
  for (const wrong of ['status', '=running', 'size=1']) expect(() => read(wrong)).toThrow('It must be')
})

test('images are told by when they were made: before and since another, and until a time', () => {
  const made = (createdAt: string | null) => ({
    ...{ digest: 'sha256:1', references: [], sizeBytes: 1, labels: {} },
    createdAt,
  })
  const moments = new Map([['other', '2026-01-02T00:00:00Z']])
  const listed = (filter: string) =>
    ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z', null]
      .map(made)
      .filter(readFilters([filter], moments))
      .map(({ createdAt }) => createdAt?.slice(8, 10))
  expect(listed('before=other')).toEqual(['01'])
  expect(listed('since=other')).toEqual(['03'])
  expect(listed('until=2026-01-02T12:00:00Z')).toEqual(['01', '02'])
  expect(listed('until=1h30m')).toEqual(['01', '02', '03'])
})

test('a filter is a known key, an equals sign and any value', () => {
  const read = filter(['label', 'name'])
  expect(read('name=a', read('label=b=c'))).toEqual([
    { key: 'label', value: 'b=c' },
    { key: 'name', value: 'a' },
  ])
  expect(read('name=')).toEqual([{ key: 'name', value: '' }])
  for (const wrong of ['label', 'labels', 'namex', '=label', 'colour=red', ''])
    expect(() => read(wrong), wrong).toThrow('It must be KEY=VALUE, with one of label, name.')
})

test('what prune is asked for: an age or a time, labels with a value, with any, and without', () => {
  expect(readPruneFilters([])).toEqual({ unusedForMs: 0, labels: {}, withoutLabels: {} })
  expect(readPruneFilters(['label=a', 'label=b=c=d', 'label!=keep', 'label!=tier=db'])).toMatchObject({
    labels: { a: null, b: 'c=d' },
    withoutLabels: { keep: null, tier: 'db' },
  })
  expect(readPruneFilters(['until=1h30m']).unusedForMs / 60_000).toBeCloseTo(90, 0)
  expect(readPruneFilters(['until=2026-01-01']).unusedForMs).toBeGreaterThan(0)
  for (const wrong of ['until=soon', 'label', 'label=', 'size=1'])
    expect(() => readPruneFilters([wrong])).toThrow('It must be')
  expect([duration('1h30m'), duration('7d')]).toEqual([5_400_000, 604_800_000])
  expect(Date.now() - Date.parse(moment('1m30s'))).toBeGreaterThanOrEqual(90_000)
})

const shop = {
  name: 'shop',
  sizeBytes: 12,
  tags: ['a', 'b'],
  none: null,
  labels: { tier: 'web', 'com.example/x': '1' },
  parts: [{ name: 'one' }, { name: 'two' }],
}

test.each([
  ['{{.Name}}:{{ .sizeBytes }}\\t{{.tags}}', 'shop:12\t[a b]'],
  ['{{json .tags}} {{.labels|json}} {{json .none}}', '["a","b"] {"tier":"web","com.example/x":"1"} null'],
  ['{{.labels}}{{.none}}', 'map[com.example/x:1 tier:web]'],
  ['{{index .labels "com.example/x"}}{{index .labels "no"}}{{(index .parts 1).name}}', null],
  ['{{index .labels "com.example/x"}}-{{index .labels "no"}}-{{index .tags 1}}', '1--b'],
  ['{{len .tags}} {{join .tags ", "}} {{.name | upper}} {{lower "ABC"}}', '2 a, b SHOP abc'],
  ['{{range .parts}}{{.name}}/{{$.Name}} {{end}}', 'one/shop two/shop '],
  ['{{range $i, $part := .parts}}{{$i}}{{$part.name}}{{end}}', '0one1two'],
  ['{{range $key, $value := .labels}}{{println $key $value}}{{end}}', 'com.example/x 1\ntier web\n'],
  ['{{range .none}}x{{else}}nothing{{end}}', 'nothing'],
  ['{{if eq .name "shop" "stall"}}yes{{else}}no{{end}}', 'yes'],
  ['{{if .none}}a{{else if not .tags}}b{{else}}c{{end}}', 'c'],
  ['{{with .labels}}{{.tier}}{{end}}', 'web'],
  ['{{if and .tags (ne .name "x")}}both{{end}}{{/* a note */}}', 'both'],
  ['a {{- .name -}} b', 'ashopb'],
  ['{{"{{"}}', '{{'],
  ['{{index .parts 1 "name"}} {{index (index .parts 0) "name"}}', 'two one'],
  [
    '{{or .none .name}} {{or .name "other"}} {{or .none false}} {{and .name .none}}-{{and .none .name}}',
    'shop shop false -',
  ],
  ['{{index .labels `com.example/x`}}{{len .name}}{{len .labels}}', '142'],
  ['{{join (split "a-b-c" "-") "+"}}\\n{{$.name}}', 'a+b+c\nshop'],
])('the template %s', (text, shown) => {
  if (shown === null) expect(() => template(text)(shop)).toThrow('--format knows')
  else expect(template(text)(shop)).toBe(shown)
})

test.each([
  ['{{.nope}}', 'There is no field nope: there are name, sizeBytes'],
  ['{{.labels.nope}}', 'There is no field nope in .labels: there are tier'],
  ['{{.none.nope}}', 'which is empty'],
  ['{{index .tags 2}}', 'There is no number 2'],
  ['{{range .name}}{{end}}', "range can't go through shop"],
  ['{{upper .tags}}', "upper can't be done with [a b]"],
  ['{{constructor .}}', 'constructor is not among them'],
  ['{{printf "%s" .name}}', 'printf is not among them'],
  ['{{range .tags}}', 'has no {{end}}'],
  ['{{end}}', 'ends nothing'],
  ['{{.name', '{{ without }}'],
  ['{{.name .tags}}', 'is more than it can do'],
  ['{{template "x"}}', 'template is not among them'],
  ['{{$x}}', 'there is no variable $x'],
  ['{{}}', 'says nothing'],
  ['{{len .tags)}}', 'has a ) too many'],
  ['{{len (index .parts 1}}', 'has no ) at its end'],
  ['{{toString .}}', 'toString is not among them'],
  ['{{if .name}}a{{else}}b{{else}}c{{end}}', 'has no {{end}}'],
  ['{{if .name}}a{{else range .tags}}b{{end}}', 'is more than it can do'],
])('the template %s is refused by a sentence', (text, said) => {
  expect(() => template(text)(shop)).toThrow(said)
})

test('inspect has the names that Docker gives its fields beside ours', () => {
  const image = {
    ...{ digest: 'sha256:1', sizeBytes: 5, createdAt: null, config: { command: ['ours'] } },
    references: ['docker.io/library/nginx:1', 'localhost:7080/a/b@sha256:1'],
  }
  const config = { architecture: 'amd64', os: 'linux', config: { Env: ['A=1'], Cmd: ['run'] } }
  const shown = (text: string) => template(text)(familiarImage(image, config))
  expect(shown('{{.Os}}/{{.Architecture}} {{.Config.Env}} {{.Config.User}}{{.config.command}}')).toBe(
    'linux/amd64 [A=1] [ours]',
  )
  expect(shown('{{.RepoTags}} {{join .RepoDigests " "}} {{.Id}}{{len .RootFS.Layers}}')).toBe(
    '[docker.io/library/nginx:1] docker.io/library/nginx@sha256:1 localhost:7080/a/b@sha256:1 sha256:10',
  )
  expect(JSON.parse(shown('{{json .}}'))).toEqual(image)
  expect(shown('{{len .}} {{range $name, $value := .}}{{$name}} {{end}}')).toBe(
    '5 config createdAt digest references sizeBytes ',
  )
  const container = {
    ...{ id: 'c', name: 'web', image: 'sha256:1', status: 'running', pid: 7, exitCode: null, restarts: 0 },
    ...{ oomKilled: false, health: { status: 'healthy' }, network: 'shop', address: '10.0.0.2', labels: {} },
    ...{ createdAt: '2026-01-01T00:00:00Z', startedAt: null, finishedAt: null, logFile: '/log' },
  }
  expect(
    template(
      '{{.State.Status}} {{.State.Health.Status}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}} {{.status}}',
    )(familiarContainer(container)),
  ).toBe('running healthy 10.0.0.2 running')
})

test('the sum of a transfer says how much of how much, how fast, and how long it took', () => {
  let now = 0
  const sum = summary(() => now)
  const line = (state: Line['state'], doneBytes = 0): Line => ({
    digest: 'sha256:1',
    state,
    doneBytes,
    totalBytes: 100_000_000,
  })
  expect(sum([line('exists', 100_000_000)])).toEqual([])
  expect(sum([line('waiting'), line('downloading', 5_000_000)])).toEqual(['5 MB of 200 MB'])
  now = 2_000
  expect(sum([line('exists'), line('unpacking'), line('downloading', 20_000_000)])).toEqual([
    '120 MB of 200 MB, 60 MB/s',
  ])
  now = 4_500
  expect(sum([line('done'), line('done'), line('mounted')])).toEqual(['200 MB in 4.5 s'])
})

test('a variable without a value is the one of here, and none where there is none; a label is empty then', () => {
  process.env.BERTH_TEST_HERE = 'here'
  expect(variable('BERTH_TEST_HERE', { A: '1' })).toEqual({ A: '1', BERTH_TEST_HERE: 'here' })
  expect(variable('BERTH_TEST_NOWHERE', { A: '1' })).toEqual({ A: '1' })
  expect([variable('A=b=c'), variable('A='), pair('A=b=c'), pair('BERTH_TEST_HERE')]).toEqual([
    ...[{ A: 'b=c' }, { A: '' }, { A: 'b=c' }, { BERTH_TEST_HERE: '' }],
  ])
  for (const read of [variable, pair]) expect(() => read('=x')).toThrow('NAME=VALUE')
  delete process.env.BERTH_TEST_HERE
})

test('a time is a date, an age, or seconds since 1970', () => {
  expect(moment('1767225600')).toBe('2026-01-01T00:00:00.000Z')
  expect(moment('1767225600.5')).toBe('2026-01-01T00:00:00.500Z')
  expect(moment('2026-01-01')).toBe('2026-01-01T00:00:00.000Z')
  expect(() => moment('soon')).toThrow('It must be a time')
})

test.each([
  ['image ls -q', 'images -q'],
  ['image rm -f a b', 'rmi -f a b'],
  ['image inspect -f {{.Id}} a', 'inspect --type image -f {{.Id}} a'],
  ['image prune -a', 'prune -a'],
  ['container ls -a', 'ps -a'],
  ['container exec a image ls', 'exec a image ls'],
  ['system df -v', 'df -v'],
  ['run image ls', 'run image ls'],
  ['image', 'image'],
  ['image constructor', 'image constructor'],
  ['network ls', 'network ls'],
])('%s is %s', (long, short) => {
  expect(shortened(long.split(' ')).join(' ')).toBe(short)
})
