import { expect, test } from 'vitest'
import { formatReference, parseReference } from '../../../engine/oci/reference.ts'

const digest = `sha256:${'a'.repeat(64)}`

test.each([
  ['nginx', 'docker.io/library/nginx:latest'],
  ['nginx:1.27', 'docker.io/library/nginx:1.27'],
  ['org/app', 'docker.io/org/app:latest'],
  ['index.docker.io/org/app', 'docker.io/org/app:latest'],
  ['localhost/app', 'localhost/app:latest'],
  ['localhost:5000/a/b:v1', 'localhost:5000/a/b:v1'],
  ['[::1]:5000/a', '[::1]:5000/a:latest'],
  ['[2001:db8::1]/a/b', '[2001:db8::1]/a/b:latest'],
  ['localhost:5000/a', 'localhost:5000/a:latest'],
  ['HOST/a', 'HOST/a:latest'],
  ['a.b/c_d/e__f/g-h--i.j', 'a.b/c_d/e__f/g-h--i.j:latest'],
  ['docker.io/nginx', 'docker.io/library/nginx:latest'],
  [`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
  [`a:${'t'.repeat(128)}`, `docker.io/library/a:${'t'.repeat(128)}`],
  [`ghcr.io/a/b:tag@${digest}`, `ghcr.io/a/b:tag@${digest}`],
  [`ghcr.io/a/b@${digest}`, `ghcr.io/a/b@${digest}`],
])('%s means %s', (text, whole) => {
  expect(formatReference(parseReference(text))).toBe(whole)
})

test.each([
  ['', 'it is empty'],
  ['a//b', 'a part of its name is empty'],
  ['/a', 'a part of its name is empty'],
  ['a/', 'a part of its name is empty'],
  ['ghcr.io/', 'it has no name'],
  ['org/UPPER', 'names are written in lower-case letters'],
  ['a:', 'a tag must follow the colon'],
  ['a:b:c', 'names are lower-case letters and digits, separated by . _ - or /'],
  ['a:-b', '"-b" is not a tag: letters, digits, _ . and - make one'],
  [`a:${'t'.repeat(129)}`, 'its tag is longer than 128 characters'],
  ['a@sha256:short', 'what follows @ must be sha256: and 64 hexadecimal digits'],
  [`a@${digest}@${digest}`, 'what follows @ must be sha256: and 64 hexadecimal digits'],
  ['a@md5:abc', 'digests of md5 are not known here, only of sha256'],
  ['host:99999/a', '99999 is not a port'],
  ['host:99999999/a', '"host:99999999" is not a host'],
  ['[::1/a', '"[::1" is not a host'],
  ['[::g]/a', '"[::g]" is not a host'],
  ['[fe80::1%eth0]/a', '"[fe80::1%eth0]" is not a host'],
  ['-bad.example/a', '"-bad.example" is not a host'],
  ['../etc', '".." is not a host'],
  ['a b', 'it holds a space'],
  ['x'.repeat(256), 'its name is longer than 255 characters'],
  ['x'.repeat(1_025), 'it is longer than 1024 characters'],
  ['https://host/a', 'leave https:// away'],
  ['docker://nginx', 'leave docker:// away'],
  ['a'.repeat(64), '64 hexadecimal digits are the id of an image and not a name'],
])('%j is refused, and it says why', (text, why) => {
  expect(() => parseReference(text)).toThrow(`is not an image reference: ${why}`)
})
