export const Earnings = () => null;
