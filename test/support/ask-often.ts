/** Prints what a line server says, again and again: ask-often.ts ADDRESS PORT MS. Exit code 1 at the first that fails. */
import { connect } from 'node:net'

const [address = '', port = '', forMs = ''] = process.argv.slice(2)
const fail = (error: Error) => {
  console.error(error.message)
  process.exit(1)
}
for (const end = Date.now() + Number(forMs); Date.now() < end; ) {
  const answer = await new Promise<string>((resolve) => {
    const timer = setTimeout(() => fail(new Error('no answer')), 2_000)
    connect(Number(port), address)
      .on('data', (bytes) => {
        clearTimeout(timer)
        resolve(String(bytes))
      })
      .on('error', fail)
  })
  process.stdout.write(answer)
}
