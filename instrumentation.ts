/** Runs once when the web server starts: what is wrong with the configuration shows at once, not at the first visit. */
export async function register(): Promise<void> {
  // Next.js compiles this file for its edge runtime too, where none of it exists. It replaces the condition itself.
  if (process.env.NEXT_RUNTIME === 'nodejs') {
    const { getPlatform } = await import('./app/_server/platform.ts')
    const { beginClosing } = await import('./app/_server/closing.ts')
    const { allowLongUploads } = await import('./app/_server/long-uploads.ts')
    const { openRegistryDoor } = await import('./app/_server/registry-door.ts')
    allowLongUploads()
    const closeDoor = await openRegistryDoor(await getPlatform())
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => {
        beginClosing()
        closeDoor()
      })
  }
}
