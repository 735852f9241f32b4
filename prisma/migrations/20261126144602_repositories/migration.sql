-- AlterTable
ALTER TABLE "apps" ADD COLUMN     "followedDigest" TEXT;

-- AlterTable
ALTER TABLE "installation" ADD COLUMN     "registryCollected" JSONB;

-- AlterTable
ALTER TABLE "repositories" ADD COLUMN     "description" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "lastPulledAt" TIMESTAMP(3),
ADD COLUMN     "lastPushedAt" TIMESTAMP(3),
ADD COLUMN     "looseBytes" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "pushGrantedAt" TIMESTAMP(3),
ADD COLUMN     "retention" JSONB;

-- CreateTable
CREATE TABLE "image_manifests" (
    "repositoryId" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "mediaType" TEXT NOT NULL,
    "sizeBytes" INTEGER NOT NULL,
    "platform" TEXT,
    "artifactType" TEXT,
    "configDigest" TEXT,
    "children" TEXT[],
    "subject" TEXT,
    "pushedAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "pushedBy" TEXT,
    "pushedByName" TEXT,
    "looseSince" TIMESTAMP(3),
    "lastPulledAt" TIMESTAMP(3),

    CONSTRAINT "image_manifests_pkey" PRIMARY KEY ("repositoryId","digest")
);

-- CreateTable
CREATE TABLE "image_blobs" (
    "repositoryId" TEXT NOT NULL,
    "manifestDigest" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "digest" TEXT NOT NULL,
    "mediaType" TEXT NOT NULL,
    "sizeBytes" BIGINT NOT NULL,

    CONSTRAINT "image_blobs_pkey" PRIMARY KEY ("repositoryId","manifestDigest","position")
);

-- CreateTable
CREATE TABLE "image_tags" (
    "repositoryId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "pushedAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "pushedByName" TEXT,

    CONSTRAINT "image_tags_pkey" PRIMARY KEY ("repositoryId","name")
);

-- CreateTable
CREATE TABLE "image_pushes" (
    "id" TEXT NOT NULL,
    "repositoryId" TEXT NOT NULL,
    "tag" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "pushedAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "pushedBy" TEXT,
    "pushedByName" TEXT,

    CONSTRAINT "image_pushes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "registry_logins" (
    "id" TEXT NOT NULL,
    "teamId" TEXT NOT NULL,
    "host" TEXT NOT NULL,
    "username" TEXT NOT NULL,
    "sealedPassword" TEXT NOT NULL,
    "createdBy" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    "checkedAt" TIMESTAMP(3),
    "problem" TEXT,

    CONSTRAINT "registry_logins_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "registry_refresh_tokens" (
    "id" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "userId" TEXT,
    "apiTokenId" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lastUsedAt" TIMESTAMP(3),
    "expiresAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "registry_refresh_tokens_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "image_manifests_digest_idx" ON "image_manifests"("digest");

-- CreateIndex
CREATE INDEX "image_blobs_digest_idx" ON "image_blobs"("digest");

-- CreateIndex
CREATE INDEX "image_pushes_repositoryId_pushedAt_idx" ON "image_pushes"("repositoryId", "pushedAt");

-- CreateIndex
CREATE UNIQUE INDEX "registry_logins_teamId_host_key" ON "registry_logins"("teamId", "host");

-- CreateIndex
CREATE UNIQUE INDEX "registry_refresh_tokens_hash_key" ON "registry_refresh_tokens"("hash");

-- CreateIndex
CREATE INDEX "registry_refresh_tokens_userId_idx" ON "registry_refresh_tokens"("userId");

-- CreateIndex
CREATE INDEX "registry_refresh_tokens_apiTokenId_idx" ON "registry_refresh_tokens"("apiTokenId");

-- AddForeignKey
ALTER TABLE "image_manifests" ADD CONSTRAINT "image_manifests_repositoryId_fkey" FOREIGN KEY ("repositoryId") REFERENCES "repositories"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "image_blobs" ADD CONSTRAINT "image_blobs_repositoryId_manifestDigest_fkey" FOREIGN KEY ("repositoryId", "manifestDigest") REFERENCES "image_manifests"("repositoryId", "digest") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "image_tags" ADD CONSTRAINT "image_tags_repositoryId_fkey" FOREIGN KEY ("repositoryId") REFERENCES "repositories"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "image_tags" ADD CONSTRAINT "image_tags_repositoryId_digest_fkey" FOREIGN KEY ("repositoryId", "digest") REFERENCES "image_manifests"("repositoryId", "digest") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "image_pushes" ADD CONSTRAINT "image_pushes_repositoryId_fkey" FOREIGN KEY ("repositoryId") REFERENCES "repositories"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registry_logins" ADD CONSTRAINT "registry_logins_teamId_fkey" FOREIGN KEY ("teamId") REFERENCES "teams"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registry_refresh_tokens" ADD CONSTRAINT "registry_refresh_tokens_userId_fkey" FOREIGN KEY ("userId") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "registry_refresh_tokens" ADD CONSTRAINT "registry_refresh_tokens_apiTokenId_fkey" FOREIGN KEY ("apiTokenId") REFERENCES "api_tokens"("id") ON DELETE CASCADE ON UPDATE CASCADE;
