/** Output as lines: of any length and ending, whichever way it comes in. */
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/** A longer line is cut into several. */
const maxLineLength = 8_192

/** Calls back with each line, and ends with the stream. A carriage return begins the line anew, as terminals do. */
export async function eachLine(source: Readable, onLine: (text: string) => void): Promise<void> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const say = (text: string) => onLine(text.replace(/\r+$/, '').replace(/^.*\r/s, ''))
  for await (const chunk of source) {
    rest += decoder.write(chunk as Buffer)
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) say(line)
    for (; rest.length > maxLineLength; rest = rest.slice(maxLineLength)) say(rest.slice(0, maxLineLength))
  }
  rest += decoder.end()
  if (rest !== '') say(rest)
}
