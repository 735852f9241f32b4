/** Names for containers and volumes that were given none. */
import { randomInt } from 'node:crypto'

const first = [
  'amber',
  'brisk',
  'calm',
  'clear',
  'deep',
  'fair',
  'keen',
  'light',
  'proud',
  'quiet',
  'swift',
  'true',
]
const second = [
  'anchor',
  'beacon',
  'buoy',
  'canal',
  'dock',
  'ferry',
  'gull',
  'harbour',
  'keel',
  'mast',
  'pier',
  'tide',
]

/** Two words and a number. */
export function newName(): string {
  return `${first[randomInt(first.length)]}-${second[randomInt(second.length)]}-${randomInt(1_000, 10_000)}`
}
