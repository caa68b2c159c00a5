/** What a lane's turn leaves behind: nothing due now, or more to do in another turn. */
export type LaneTurn = 'idle' | 'more';
