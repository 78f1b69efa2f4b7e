class EmailRequired < ActiveRecord::Migration[6.1]
  disable_ddl_transaction!

  def change
    change_column_null :users, :email, false
  end
end
