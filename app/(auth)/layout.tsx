import type { ReactNode } from 'react'
import { Logo } from '../_ui/logo.tsx'
import { LanguageButton } from './language-button.client.tsx'

export default function AuthLayout({ children }: { children: ReactNode }) {
  return (
    <div className="flex min-h-dvh flex-col bg-[radial-gradient(60rem_30rem_at_50%_-10rem,var(--accent-soft),transparent)]">
      <header className="flex items-center justify-between px-5 py-4 sm:px-8">
        <Logo />
        <LanguageButton />
      </header>
      <main className="mx-auto flex w-full max-w-sm flex-1 flex-col justify-center px-4 pb-[12vh]">
        {children}
      </main>
    </div>
  )
}
