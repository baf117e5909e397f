export const Control = () => null;
