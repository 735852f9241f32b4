-- CreateEnum
CREATE TYPE "GitRefKind" AS ENUM ('branch', 'tag', 'commit');

-- CreateTable
CREATE TABLE "git_sources" (
    "appId" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "refKind" "GitRefKind" NOT NULL,
    "refName" TEXT NOT NULL,
    "username" TEXT NOT NULL DEFAULT '',
    "sealedToken" TEXT,
    "publicKey" TEXT,
    "sealedKey" TEXT,
    "hostKeys" TEXT[],
    "ca" TEXT,
    "commit" JSONB,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "git_sources_pkey" PRIMARY KEY ("appId")
);

-- AddForeignKey
ALTER TABLE "git_sources" ADD CONSTRAINT "git_sources_appId_fkey" FOREIGN KEY ("appId") REFERENCES "apps"("id") ON DELETE CASCADE ON UPDATE CASCADE;
