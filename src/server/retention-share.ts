// --retention-size is for the whole data folder, but each lane deletes its own segments. A lane's share of it follows its
// share of the bytes, so that all of them together come to the size and a busy lane does not cost a quiet one its past.

/** Bytes that a lane of `laneBytes` may keep where all lanes hold `totalBytes`; 0 keeps everything. */
export function retentionShare(retentionBytes: number, laneBytes: number, totalBytes: number): number {
  if (retentionBytes === 0 || totalBytes <= retentionBytes) return 0;
  return Math.max(1, Math.floor(retentionBytes * (laneBytes / totalBytes)));
}
