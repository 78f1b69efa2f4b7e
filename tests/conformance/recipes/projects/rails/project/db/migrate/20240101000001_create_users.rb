class CreateUsers < ActiveRecord::Migration[6.1]
  def change
    create_table(:users) { |t| t.string :email }
    create_table(:posts) do |t|
      t.references :user, null: false, index: false, foreign_key: { on_delete: :cascade }
      t.string :title
    end
  end
end
